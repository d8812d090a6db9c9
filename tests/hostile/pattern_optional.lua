-- expect: failed
-- Vector: Time: inside C (patterns)
-- gsub with a? thirty times.
return ("a"):rep(30):gsub(("a?"):rep(30) .. ("a"):rep(30) .. "b", "x")
