-- expect: stopped
while true do pcall(string.find, ("("):rep(250000), "%b()") end
