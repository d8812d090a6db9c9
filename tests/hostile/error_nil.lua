-- expect: failed
-- Vector: Error objects
-- An error that is nothing.
error(nil)
