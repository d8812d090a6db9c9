-- SPDX-License-Identifier: Apache-2.0
--
-- The rule of bench/ifs.c as LuaJIT's own loop over plain tables, warmed: the scores must be the same to the bit.
--   luajit bench/ifs.lua FOLDER
-- What attune wrote has more than one chunk may hold of constants: it is read line by line.
local items, sets, scores = {}, {}, {}
for line in io.lines(arg[1] .. "/ifs_data.lua") do
  local row, brand, price, margin, stock, rating = line:match("^items%[(%d+)%] = { brand = '(%S+)', price = (%S+), margin = (%S+), stock = (%S+), rating = (%S+) }$")
  local s, i, at, score = line:match("^sets%[(%d+)%]%[(%d+)%], %S+ = (%d+), (%S+)$")
  local new = line:match("^sets%[(%d+)%], ")
  if row then items[tonumber(row)] = { brand = brand, price = tonumber(price), margin = tonumber(margin), stock = tonumber(stock), rating = tonumber(rating) } end
  if s then sets[tonumber(s)][tonumber(i)], scores[tonumber(s)][tonumber(i)] = tonumber(at), tonumber(score) end
  if new then sets[tonumber(new)], scores[tonumber(new)] = {}, {} end
end

local customer, out = { has_ordered = false }, {}
local function score_of(product)
  local score = 0.5 * product.rating
  if product.stock < 5 and not customer.has_ordered then score = score + 0.2 end
  if product.price > 100 then score = score - product.price / 1000
  elseif product.margin > 0.4 then score = score + product.margin end
  if product.brand == "b7" then score = score * 1.1 end
  return score
end
local function run(rows)
  for i = 1, #rows do out[i] = score_of(items[rows[i]]) end
end
for s = 1, #sets do
  run(sets[s])
  for i = 1, #sets[s] do assert(out[i] == scores[s][i], "the scores differ") end
end
local each, calls = {}, 400
for round = 1, 9 do
  local began = os.clock()
  for i = 1, calls do run(sets[i % #sets + 1]) end
  each[round] = (os.clock() - began) * 1e6 / calls
end
table.sort(each)
print(("%-44s %7.2f µs, median %.2f; the same scores, %d × %d"):format((jit and jit.version or _VERSION) .. ", warmed", each[1], each[5], #sets, #sets[1]))
