-- expect: stopped
-- Vector: Integer keys that collide
-- The same below the limit on keys, over and over.
while true do
    local t = {}
    for i = 1, 8000 do t[i * 131071] = i end
end
