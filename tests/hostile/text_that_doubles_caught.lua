-- expect: memory
-- Vector: pcall that swallows the limit
-- Out of memory ends the call, whatever pcall says.
local s = "x"
while true do
  pcall(function() while true do s = s .. s end end)
end
