-- expect: failed
-- says: invalid conversion
-- Vector: Plain find, big rep, upper, ..
-- A width that would fill the memory.
return string.format("%999999999d", 1)
