-- expect: ok memory stopped
-- Vector: Time: a loop in Lua
-- A loop that adds to what it walks ends.
local t = {a = 1}
local n = 0
for k in pairs(t) do n = n + 1 t[k .. "x"] = n end
assert(n == 1)
