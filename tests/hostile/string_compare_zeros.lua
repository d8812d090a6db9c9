-- expect: stopped
-- Vector: Plain find, big rep, upper, ..
-- Texts are compared piece by piece between zeros.
local s = ("\0"):rep((1 << 20) - 1)
local a, b = s .. "a", s .. "b"
while true do local _ = a < b end
