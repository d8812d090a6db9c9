-- expect: failed
-- says: local total
-- A name without local is an error.
total = 1
