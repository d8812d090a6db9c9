-- expect: stopped
while true do pcall(string.find, ("a"):rep(250000), "(.*)%1b") end
