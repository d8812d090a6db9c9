-- expect: ok
-- Vector: goto, integer division and the end of numbers
-- Loops at the end of the number line end.
for i = math.maxinteger - 1, math.maxinteger do local x = i end
for i = math.mininteger, math.mininteger + 1 do local x = i end
for i = 1, 0 do error("no") end
