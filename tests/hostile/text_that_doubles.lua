-- expect: memory
-- Vector: Plain find, big rep, upper, ..
-- 2^n bytes.
local s = 'x'
while true do s = s .. s end
