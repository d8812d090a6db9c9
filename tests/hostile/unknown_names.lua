-- expect: stopped
-- Vector: Time: a loop in Lua
while true do pcall(function() return unknown_name_that_is_rather_long end) end
