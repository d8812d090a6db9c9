-- expect: failed
-- unpack over all whole numbers.
return table.unpack({}, math.mininteger, math.maxinteger)
