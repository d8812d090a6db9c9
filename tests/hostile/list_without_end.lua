-- expect: memory stopped
-- Vector: Memory
-- Fills memory with a list.
local t = {}
while true do t[#t + 1] = {t} end
