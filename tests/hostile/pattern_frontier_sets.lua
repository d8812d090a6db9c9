-- expect: stopped
-- Vector: Time: inside C (patterns)
local set = "[" .. ("%a"):rep(100) .. "]*1"
while true do pcall(string.find, ("z"):rep(200000), set) end
