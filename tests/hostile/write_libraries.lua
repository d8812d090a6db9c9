-- expect: failed
-- says: read-only
-- Vector: Libraries and tables that are shared
-- A library is not the script's to change.
string.rep = function() return "mine" end
