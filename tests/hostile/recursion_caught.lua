-- expect: memory failed stopped
-- Vector: Recursion
-- And caught at every level.
local function f() local ok = pcall(f) return f() or ok end
while true do f() end
