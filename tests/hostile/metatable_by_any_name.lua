-- expect: ok
-- Vector: setmetatable
-- A field with the name of a metamethod is a field, whatever it is put on.
local called = 0
local t = {__index = function() called = called + 1 end, __len = function() return 1 << 50 end,
           __gc = function() called = called + 1 end, __close = function() called = called + 1 end,
           __mode = "kv", __name = "number", __pairs = function() called = called + 1 end,
           __lt = function() return true end, __eq = function() return true end}
assert(t.absent == nil and #t == 0 and type(t) == "table" and t ~= {})
assert(not pcall(function() return t < t end))
table.insert(t, 1) table.remove(t) table.sort(t) table.concat(t) table.unpack(t)
for _ in pairs(t) do end
t.__metatable, t.__tostring = false, function() return 1 end
assert(type(tostring(t)) == "string" and called == 0)
for _, name in ipairs({"setmetatable", "getmetatable", "rawset", "rawget", "rawequal", "rawlen"}) do
  assert(not pcall(function() return _ENV[name] end), name)
end
