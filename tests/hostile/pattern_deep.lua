-- expect: ok failed stopped
-- Vector: Time: inside C (patterns)
-- A match that would recurse once for each letter.
for i = 1, 20 do pcall(string.match, ("a"):rep(200000), ("(a)"):rep(30) .. ".-b") end
