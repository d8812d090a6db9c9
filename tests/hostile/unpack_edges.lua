-- expect: ok
-- Vector: Table functions with huge ranges or a lying length
-- The ends of the number line.
pcall(table.unpack, {}, math.maxinteger, math.maxinteger)
pcall(table.unpack, {}, math.mininteger, math.mininteger)
pcall(table.concat, {}, "", math.maxinteger, math.maxinteger)
pcall(table.concat, {}, "", math.mininteger, math.mininteger)
pcall(table.insert, {}, math.mininteger, 1)
pcall(table.insert, {}, math.maxinteger, 1)
pcall(table.remove, {}, math.mininteger)
pcall(table.remove, {}, math.maxinteger)
pcall(string.byte, "x", math.mininteger, math.maxinteger)
pcall(string.sub, "x", math.mininteger, math.maxinteger)
pcall(string.find, "x", "x", math.mininteger)
pcall(string.find, "x", "x", math.maxinteger)
pcall(string.gmatch, "x", "x", math.maxinteger)
pcall(utf8.offset, "x", math.mininteger)
pcall(utf8.offset, "x", math.maxinteger, math.maxinteger)
pcall(utf8.codepoint, "x", math.mininteger, math.maxinteger)
pcall(utf8.len, "x", math.maxinteger, math.mininteger)
pcall(select, math.mininteger, 1) pcall(select, math.maxinteger, 1)
for _, f in ipairs({"ult", "fmod", "max", "min", "abs", "tointeger"}) do pcall(math[f], math.mininteger, -1) end
local x = math.mininteger // -1, math.mininteger % -1
