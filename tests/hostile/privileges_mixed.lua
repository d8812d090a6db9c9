-- expect: ok
-- Vector: Privileges
-- What one function is given, another of the same state cannot widen: an environment of one's own hides names and adds none, and
-- what is handed out stays as it is.
local function inside(_ENV) return frozen end
assert(inside({}) == nil)
do
  local _ENV = {pcall = pcall, string = string, assert = assert}
  assert(not pcall(function() string.upper = nil end))
  pcall = function() return true end
end
assert(not pcall(error))
assert(not pcall(function() frozen.seven = 8 end) and frozen.seven == 7)
for key in pairs(frozen) do assert(not pcall(function() frozen[key] = nil end)) end
assert(not pcall(function() resume = print end))
assert(not pcall(table.insert, frozen, 1) and not pcall(table.remove, frozen) and not pcall(table.sort, frozen))
