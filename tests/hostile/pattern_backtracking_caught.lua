-- expect: stopped
-- Vector: Time: inside C (patterns)
-- Each search is refused, their sum is stopped.
while true do pcall(string.find, ("a"):rep(26), ("a-"):rep(26) .. "b") end
