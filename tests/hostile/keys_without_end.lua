-- expect: memory
-- says: 8192 keys
-- Vector: Integer keys that collide
-- A table of names that never ends.
local t = {}
for i = 1, math.huge do t['k' .. i] = true end
