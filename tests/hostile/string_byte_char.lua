-- expect: stopped
-- Vector: Plain find, big rep, upper, ..
while true do pcall(function() return string.char(("x"):rep(1 << 20):byte(1, -1)) end) end
