-- expect: failed
-- Vector: Table functions with huge ranges or a lying length
-- A range of 2^63 places.
return table.concat({}, "", 1, math.maxinteger)
