if a then
local b = (1 +
2
