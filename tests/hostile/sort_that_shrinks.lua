-- expect: ok failed stopped
-- Vector: table.sort
-- The list changes under the sort.
local t = {}
for i = 1, 2000 do t[i] = -i end
table.sort(t, function(a, b) t[#t] = nil t[a] = b return a < b end)
