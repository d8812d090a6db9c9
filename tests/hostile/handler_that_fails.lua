-- expect: ok failed stopped
-- Vector: xpcall handler
-- A handler whose handler fails, for ever.
local function h(m) error(m) end
for i = 1, 1000 do xpcall(error, h, "x") end
