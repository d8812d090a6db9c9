-- expect: stopped
-- Vector: Table functions with huge ranges or a lying length
while true do
    pcall(table.unpack, {}, 1, 1 << 50)
    pcall(table.unpack, {}, math.maxinteger - 1, math.maxinteger)
    pcall(table.concat, {}, "", 1, 1 << 50)
    pcall(table.concat, {}, ("x"):rep(1 << 20), 1, 2)
end
