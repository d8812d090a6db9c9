-- expect: failed
-- A range of 2^63 places.
return table.concat({}, "", 1, math.maxinteger)
