-- expect: ok
-- Vector: Time: a loop in Lua
-- The iterator alone, with a place before the text.
local f, n = utf8.codes("abc"), 0
for _, i in ipairs({-1, -2, math.mininteger, math.maxinteger, 4, 5}) do
    if f("abc", i) then n = n + 1 end
end
assert(n == 0)
