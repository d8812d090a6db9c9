-- expect: failed
-- says: local total
-- Vector: Libraries and tables that are shared
-- A name without local is an error.
total = 1
