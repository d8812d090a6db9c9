-- expect: memory stopped
-- Closures that hold each other.
local f
while true do local g = f f = function() return g end end
