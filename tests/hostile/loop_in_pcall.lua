-- expect: stopped
-- Vector: pcall that swallows the limit
-- The stop must not be something pcall can swallow.
while true do
  pcall(function() while true do end end)
end
