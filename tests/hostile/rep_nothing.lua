-- expect: ok
-- Vector: Plain find, big rep, upper, ..
-- Nothing, 2^62 times: stock Lua counts that in a loop.
assert((""):rep(1 << 62) == "")
assert((""):rep(1 << 62, "") == "")
