-- expect: failed
-- says: math is read-only
-- Vector: Libraries and tables that are shared
-- The second value of ipairs was the table behind the read-only one.
local _, content = ipairs(math)
content.floor = function() return "mine" end
