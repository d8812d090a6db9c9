-- expect: failed
-- Vector: Table functions with huge ranges or a lying length
-- unpack over all whole numbers.
return table.unpack({}, math.mininteger, math.maxinteger)
