-- expect: failed
-- Nor are the methods of texts.
("x").upper = function() return "mine" end
