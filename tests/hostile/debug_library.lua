-- expect: ok
-- Vector: debug
-- Not by its name, nor by what a handler or an error could hand over.
assert(not pcall(function() return debug.getregistry() end))
assert(not pcall(function() return debug.sethook() end))
local _, handed = xpcall(error, function(...) return select("#", ...) end, "x")
assert(handed == 1)
for _, f in ipairs({print, pcall, ipairs}) do assert(not pcall(function() return f.upvalue end)) end
