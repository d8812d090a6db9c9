-- expect: stopped
-- Vector: collectgarbage
-- Only garbage: the collector must keep up, and the time still ends.
while true do local t = {{}, {}, {}} end
