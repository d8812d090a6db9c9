-- expect: stopped
-- Vector: pcall that swallows the limit
local function spin() while true do pcall(function() while true do end end) end end
pcall(pcall, pcall, pcall, spin)
while true do end
