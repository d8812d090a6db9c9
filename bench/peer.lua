-- SPDX-License-Identifier: Apache-2.0
--
-- The five-term rule of the figures as the peers run it: the module `score` of the servers in PEERS (http/), LuaJIT and Lua 5.4. What it
-- computes from is what attune itself says of each product and each person's taste in each brand (bench/same.mjs writes it), in
-- plain tables; out of stock hidden, the top 24 by bounded insertion, ties by id.
local M, items, users = {}, {}, {}

local function lines(name)
  local path = package.searchpath("score", package.path):gsub("score%.lua$", name)
  return io.lines(path)
end
for line in lines("products.tsv") do
  local id, brand, popularity, rating, margin, discount, stock = line:match("^(%S+)\t(%S+)\t(%S+)\t(%S+)\t(%S+)\t(%S+)\t(%S+)$")
  items[id] = { brand = brand, popularity = tonumber(popularity), rating = tonumber(rating), margin = tonumber(margin), discount = tonumber(discount), in_stock = tonumber(stock) > 0 }
end
for line in lines("tastes.tsv") do
  local user, brand, affinity = line:match("^(%S+)\t(%S+)\t(%S+)$")
  local mine = users[user]
  if not mine then mine = {}; users[user] = mine end
  mine[brand] = tonumber(affinity)
end

function M.top24(user, ids)
  local aff, tid, tsc, n = users[user] or {}, {}, {}, 0
  for i = 1, #ids do
    local id = ids[i]
    local p = items[id]
    if p and p.in_stock then
      local s = 0.40 * (aff[p.brand] or 0) + 0.25 * p.popularity + 0.15 * (p.rating or 3) / 5 + 0.10 * p.margin - 0.10 * p.discount
      if n < 24 or s > tsc[24] or (s == tsc[24] and id < tid[24]) then
        local j = n < 24 and n + 1 or 24
        if n < 24 then n = n + 1 end
        while j > 1 and (tsc[j - 1] < s or (tsc[j - 1] == s and tid[j - 1] > id)) do
          tid[j], tsc[j] = tid[j - 1], tsc[j - 1]
          j = j - 1
        end
        tid[j], tsc[j] = id, s
      end
    end
  end
  return tid
end
M.sort24 = M.top24

function M.fill() end -- the peers' other way, over a shared dictionary, is slower and not used here

return M
