-- expect: stopped
-- Vector: Time: inside C (patterns)
while true do pcall(string.find, ("("):rep(250000), "%b()") end
