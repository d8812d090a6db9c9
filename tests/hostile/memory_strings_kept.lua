-- expect: stopped memory
-- Vector: Memory
local t = {}
for i = 1, 1e9 do t[#t + 1] = ("x"):rep((1 << 20) - 20) .. i end
