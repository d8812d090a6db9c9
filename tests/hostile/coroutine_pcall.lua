-- expect: stopped
-- Vector: Coroutines
-- The stop goes through a coroutine and through pcall on both sides of it.
while true do
  pcall(resume, function() while true do pcall(function() while true do end end) end end)
end
