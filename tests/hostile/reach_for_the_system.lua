-- expect: ok
-- Vector: io and os
-- Nothing here leads out.
for _, name in ipairs({"io", "os", "debug", "package", "require", "load", "loadstring", "dofile", "loadfile", "coroutine",
                       "setmetatable", "getmetatable", "rawset", "rawget", "rawequal", "collectgarbage", "_G", "warn"}) do
  assert(not pcall(function() return _ENV[name] end), name)
end
