-- expect: failed
-- Vector: Time: inside C (patterns)
-- 26 lazy repeats over 26 letters: 2^26 ways.
return string.find(("a"):rep(26), ("a-"):rep(26) .. "b")
