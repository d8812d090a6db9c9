-- expect: stopped
-- Vector: table.sort
local t = {3, 2, 1}
table.sort(t, function(a, b) t[#t + 1] = 1 t[1] = nil return #t < 2 end)
while true do table.sort(t, function(a, b) t[#t] = nil return false end) t[#t + 1] = 2 end
