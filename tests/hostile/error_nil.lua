-- expect: failed
-- An error that is nothing.
error(nil)
