-- expect: stopped
-- Vector: Time: a loop in Lua
local t = {}
for i = 1, 50000 do t[i] = i end
while true do for k in pairs(t) do break end end
