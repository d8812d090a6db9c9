-- expect: stopped
-- Vector: Time: a loop in Lua
-- The plainest one.
while true do end
