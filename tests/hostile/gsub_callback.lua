-- expect: stopped
return (("a"):rep(250000):gsub(".", function() while true do end end))
