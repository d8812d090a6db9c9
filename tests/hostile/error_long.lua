-- expect: failed
-- Vector: Error objects
-- An error of a MiB.
error(("x"):rep(1 << 20))
