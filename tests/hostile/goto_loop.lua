-- expect: stopped
-- A loop without a loop.
::again::
goto again
