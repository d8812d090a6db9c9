-- expect: stopped
-- Vector: Time: inside C (patterns)
local p = ("(.*"):rep(16) .. (")"):rep(16) .. "x"
while true do pcall(string.match, ("a"):rep(250000), p) end
