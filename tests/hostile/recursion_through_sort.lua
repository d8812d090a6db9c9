-- expect: ok failed memory stopped
-- Vector: Recursion
-- The same through a comparator.
local function f(a, b) table.sort({1, 2, 3}, f) return a < b end
for i = 1, 50 do pcall(f, 1, 2) end
