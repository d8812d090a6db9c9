-- expect: ok
-- Vector: Addresses
-- No address is shown: they help who breaks in, and differ on every run.
for _, v in ipairs({{}, print, pairs, function() end}) do
  assert(not tostring(v):find("0x")) assert(not string.format("%s", v):find("%d"))
  assert(not pcall(string.format, "%p", v))
end
