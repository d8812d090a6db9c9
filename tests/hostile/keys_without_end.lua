-- expect: memory
-- says: 8192 keys
-- A table of names that never ends.
local t = {}
for i = 1, math.huge do t['k' .. i] = true end
