x = "a\qb" y = '\300' z = 7days w = [=x
local a = {"\u{zz}", 'abc\
def\z
   x\q'} lokal b = 2
return 1 2 } ; ]
goto nowhere break
local c <const> = 1 c = 2 ::l:: ::l::
function c() end
x = ...
local function v() return ... end
--[[ never closed
