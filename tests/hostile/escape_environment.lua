-- expect: failed
-- says: cannot be set
-- Vector: Libraries and tables that are shared
local _, content = ipairs(_ENV)
content.pairs = nil
