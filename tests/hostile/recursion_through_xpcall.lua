-- expect: ok failed memory stopped
-- Vector: xpcall handler
-- The same through a handler.
local function h() return xpcall(error, h) end
for i = 1, 50 do h() end
