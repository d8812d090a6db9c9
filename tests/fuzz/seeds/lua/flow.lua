goto done; do local a <const>, b <close> = 1, nil; goto c; ::c:: end
function a.b.c:d(e, ...) return self, select('#', ...) end
local function f(...) return ... end
x, y.z, w[1] = -2 ^ 2, not not #a, ~1 // 2 % 3 & 4 | 5 ~ 6 << 7 >> 8
for k, v in pairs{} do break end for i = 1, 2, 3 do end
::done::
