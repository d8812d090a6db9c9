-- expect: failed
-- Vector: setmetatable
-- No value can be closed: there are no metatables.
local x <close> = {}
