-- expect: failed
-- says: longer than
-- Vector: Plain find, big rep, upper, ..
-- 2^50 bytes are refused before a byte is taken.
return ("x"):rep(1 << 50)
