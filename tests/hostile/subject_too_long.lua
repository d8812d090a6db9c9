-- expect: failed
-- says: longer than
-- Vector: Plain find, big rep, upper, ..
-- A search through a text of 512 KiB is refused.
return ("a"):rep(1 << 19):find("b")
