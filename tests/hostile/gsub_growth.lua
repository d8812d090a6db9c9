-- expect: stopped
-- Vector: Plain find, big rep, upper, ..
while true do pcall(string.gsub, ("a"):rep(200000), ".", ("b"):rep(1000)) end
