-- expect: memory stopped
-- Vector: Integer keys that collide
-- The same with fractions.
local t = {}
for i = 1, 1 << 20 do t[i * 131071 + 0.5] = i end
