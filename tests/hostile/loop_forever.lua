-- expect: stopped
-- The plainest one.
while true do end
