-- expect: ok stopped
-- Vector: table.sort
-- An order that is none: stock Lua reads past the list.
for n = 1, 300 do
  local t = {}
  for i = 1, n do t[i] = i end
  table.sort(t, function() return true end)
  assert(#t == n)
end
