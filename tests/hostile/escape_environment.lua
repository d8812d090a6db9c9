-- expect: failed
-- says: cannot be set
local _, content = ipairs(_ENV)
content.pairs = nil
