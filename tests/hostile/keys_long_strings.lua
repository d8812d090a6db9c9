-- expect: stopped
-- Vector: Integer keys that collide
-- A long text is hashed whole when it becomes a key.
local s, n = ("x"):rep((1 << 20) - 20), 0
while true do n = n + 1 local t = {[s .. n] = 1} end
