-- expect: failed
-- says: longer than
-- 2^50 bytes are refused before a byte is taken.
return ("x"):rep(1 << 50)
