-- expect: failed
-- says: error object of type table
-- Vector: Error objects
-- Whoever shows an error must not run what it brings along.
local function forever() while true do end end
local e = {__tostring = forever, __name = forever, __index = forever, tostring = forever}
e.self = e
pcall(error, e)
xpcall(error, tostring, e)
error(e)
