-- expect: ok
-- Vector: Bytecode via load, loadfile, string.dump
-- Nothing here compiles, and nothing gives compiled code.
for _, name in ipairs({"load", "loadstring", "loadfile", "dofile"}) do
  assert(not pcall(function() return _ENV[name]("return 1") end), name)
end
assert(not pcall(function() return string.dump(function() end) end))
assert(not pcall(function() return ("").dump end))
