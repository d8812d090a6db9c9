-- expect: stopped
-- Vector: Time: a loop in Lua
local t, k = {}, nil
for i = 1, 300000 do t[i] = i end
repeat k = next(t, k) until not k
