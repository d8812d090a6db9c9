-- expect: stopped
-- Vector: Time: a loop in Lua
for _ in function() return 1 end do end
