-- expect: ok failed memory stopped
-- Vector: Recursion
-- C calls Lua calls C: the C stack must hold.
local function f(s) return (s:gsub(".", f)) end
for i = 1, 50 do pcall(f, "x") end
