-- expect: memory stopped
-- Vector: __gc
-- A finalizer would run with hooks off; this never becomes one, and the garbage is only garbage.
local kept, n = {}, 0
while true do
  n = n + 1
  kept[n % 20000 + 1] = {__gc = function() while true do end end, text = ("x"):rep(100) .. n}
end
