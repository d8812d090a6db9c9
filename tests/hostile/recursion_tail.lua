-- expect: stopped
-- Vector: Recursion
local function f() return f() end
return f()
