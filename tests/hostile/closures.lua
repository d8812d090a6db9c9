-- expect: memory stopped
-- Vector: Memory
-- Closures that hold each other.
local f
while true do local g = f f = function() return g end end
