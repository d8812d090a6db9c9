local n = 0
local function f() n = n + 1; prodct = 3; wen(n) end
