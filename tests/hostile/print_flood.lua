-- expect: stopped
-- Vector: print and warn
-- The newest 200 lines are kept, no more.
while true do print(("x"):rep(10000), "y") end
