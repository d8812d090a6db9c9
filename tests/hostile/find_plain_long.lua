-- expect: stopped
-- Vector: Plain find, big rep, upper, ..
local s, needle = ("a"):rep(262144), ("a"):rep(127) .. "b" .. ("a"):rep(127)
while true do s:find(needle, 1, true) end
