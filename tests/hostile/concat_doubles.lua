-- expect: ok failed memory stopped
-- Vector: Plain find, big rep, upper, ..
-- A list that holds its own text again and again.
local t = {}
for i = 1, 100 do t[i] = ("x"):rep(10000) end
for i = 1, 1000 do t[i % 100 + 1] = table.concat(t) end
