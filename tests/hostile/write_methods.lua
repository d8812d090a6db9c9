-- expect: failed
-- Vector: String metatable
-- Nor are the methods of texts.
("x").upper = function() return "mine" end
