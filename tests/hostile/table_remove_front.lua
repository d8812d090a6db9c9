-- expect: stopped
-- Vector: Table functions with huge ranges or a lying length
local t = {}
for i = 1, 300000 do t[i] = i end
while true do table.insert(t, table.remove(t, 1)) end
