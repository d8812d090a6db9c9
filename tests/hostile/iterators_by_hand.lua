-- expect: ok failed
-- Vector: Time: a loop in Lua
-- Iterators called with anything.
local f, s, c = pairs({1, 2})
for _, v in ipairs({0, -1, "x", {}, 1.5, math.maxinteger, math.mininteger}) do
  pcall(f, v, v) pcall((ipairs({})), v, v) pcall((ipairs({})), {}, v) pcall(next, {}, v)
  pcall((utf8.codes("ä")), "ä", v) pcall((utf8.codes("ä")), v, v)
  pcall(("x"):gmatch("x"), v, v)
end
