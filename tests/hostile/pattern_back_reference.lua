-- expect: stopped
-- Vector: Time: inside C (patterns)
while true do pcall(string.find, ("a"):rep(250000), "(.*)%1b") end
