-- expect: failed
-- says: read-only
-- A library is not the script's to change.
string.rep = function() return "mine" end
