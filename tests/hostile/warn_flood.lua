-- expect: failed
-- says: unknown name 'warn'
-- Vector: print and warn
-- The other way to the log has no limit, and is not there.
while true do warn("@on", ("x"):rep(10000)) end
