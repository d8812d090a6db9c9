-- expect: ok failed memory stopped
-- Vector: Coroutines
-- Coroutines in coroutines: the C stack must hold.
local function deeper(n) return resume(deeper, n + 1) end
pcall(deeper, 1)
