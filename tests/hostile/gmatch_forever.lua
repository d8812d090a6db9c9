-- expect: stopped
-- Vector: Time: a loop in Lua
while true do for _ in ("a"):rep(250000):gmatch("a-") do end end
