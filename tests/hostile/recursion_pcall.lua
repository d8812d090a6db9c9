-- expect: stopped memory failed
local function f() pcall(f) return f() end
f()
while true do f() end
