-- expect: stopped
-- Vector: Plain find, big rep, upper, ..
-- Each call is short; a thousand between two looks at the clock would not be.
local s = ("x"):rep((1 << 20) - 1)
while true do s:upper() s:reverse() s:sub(2) local _ = s .. "y" end
