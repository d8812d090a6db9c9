-- expect: stopped
-- Vector: Time: inside C (patterns)
-- An empty capture put in half a million times for each letter: much work, no result.
local t = ("%1"):rep(500000)
return (("a"):rep(250000):gsub("(b*)", t))
