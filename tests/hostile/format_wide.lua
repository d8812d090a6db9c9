-- expect: failed
-- says: invalid conversion
-- A width that would fill the memory.
return string.format("%999999999d", 1)
