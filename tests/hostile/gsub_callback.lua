-- expect: stopped
-- Vector: Time: a loop in Lua
return (("a"):rep(250000):gsub(".", function() while true do end end))
