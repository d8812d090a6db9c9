-- expect: stopped memory
-- Vector: Coroutines
-- Each begins to count anew: many short ones must not outlive the limit.
while true do pcall(resume, function() for i = 1, 300 do end end) end
