-- expect: stopped memory
-- Vector: pcall that swallows the limit
-- Out of memory is not for scripts to catch: each try would be a full collection.
local t = {}
while true do pcall(function() while true do t[#t + 1] = ("x"):rep((1 << 20) - 20) .. #t end end) end
