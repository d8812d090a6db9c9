-- expect: stopped
-- Vector: Plain find, big rep, upper, ..
local s = ("9"):rep(1 << 20)
while true do tonumber(s) tonumber("0x" .. s) tonumber("." .. s, 10) end
