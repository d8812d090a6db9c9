-- expect: stopped memory failed
-- Vector: Recursion
local function f() pcall(f) return f() end
f()
while true do f() end
