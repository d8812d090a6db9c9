-- expect: stopped
-- Vector: Table functions with huge ranges or a lying length
-- Each insert moves the whole list.
local t = {}
while true do table.insert(t, 1, 0) end
