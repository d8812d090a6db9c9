-- expect: stopped
-- Vector: Plain find, big rep, upper, ..
local f = ("%99.99f"):rep(200)
local t = {} for i = 1, 200 do t[i] = 1e308 end
while true do f:format(table.unpack(t)) end
