-- expect: stopped memory
-- Vector: table.sort
-- Without a comparator no instruction of Lua runs in between.
local s, t = ("\0"):rep((1 << 20) - 1), {}
local a, b = s .. "a", s .. "a"
for i = 1, 50000 do t[i] = i % 2 == 0 and a or b end
b = s .. "b"
for i = 1, 50000, 2 do t[i] = b end
table.sort(t)
while true do table.sort(t) end
