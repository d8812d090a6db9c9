#! -- expect: failed
LuaT -- says: scripts/t.lua
-- Vector: Bytecode via load, loadfile, string.dump
-- Compiled code behind a first line that is skipped.
return 1
