-- expect: failed
-- An error of a MiB.
error(("x"):rep(1 << 20))
