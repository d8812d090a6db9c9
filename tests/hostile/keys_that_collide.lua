-- expect: memory stopped
-- Vector: Integer keys that collide
-- Whole numbers are not seeded: these all fall into one chain, and one rehash takes n² steps.
local t = {}
for i = 1, 1 << 20 do t[i * 131071] = i end
