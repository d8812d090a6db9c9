-- expect: stopped
-- Vector: Time: a loop in Lua
-- A loop without a loop.
::again::
goto again
