-- expect: stopped
-- Vector: Time: a loop in Lua
for i = 1, math.huge do end
