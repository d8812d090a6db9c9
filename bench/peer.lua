-- SPDX-License-Identifier: Apache-2.0
--
-- The peer of the figures inside nginx's LuaJIT: the same five-term rule over the same products in Lua tables, out of stock
-- hidden, the top 24 by bounded insertion, JSON in and out by lua-cjson. Each user has an affinity for brands of its own.
local cjson = require "cjson.safe"
local M, items, users = {}, {}, {}

function M.load(path)
  for line in io.lines(path) do
    local p = cjson.decode(line)
    local margin = (p.price - p.cost) / p.price
    local discount = p.list_price > p.price and (p.list_price - p.price) / p.list_price or 0
    items[p.id] = { brand = p.brand, popularity = (p.rating * 37) % 1, rating = p.rating, margin = margin, discount = discount, stock = p.stock }
  end
  for u = 0, 999 do
    local aff = {}
    for b = 0, 199 do aff["brand-" .. b] = ((u * 31 + b * 17) % 97) / 97 end
    users["u-" .. u] = aff
  end
end

function M.rank()
  ngx.req.read_body()
  local body = cjson.decode(ngx.req.get_body_data() or "")
  local ids, limit, aff = body.items, body.limit or 24, users[body.customer.user_id] or {}
  local tid, tsc, n, total = {}, {}, 0, 0
  for i = 1, #ids do
    local id = ids[i]
    local p = items[id]
    if p and p.stock > 0 then
      total = total + 1
      local s = 0.40 * (aff[p.brand] or 0) + 0.25 * p.popularity + 0.15 * p.rating / 5 + 0.10 * p.margin - 0.10 * p.discount
      if n < limit or s > tsc[limit] or (s == tsc[limit] and id < tid[limit]) then
        local j = n < limit and n + 1 or limit
        if n < limit then n = n + 1 end
        while j > 1 and (tsc[j - 1] < s or (tsc[j - 1] == s and tid[j - 1] > id)) do
          tid[j], tsc[j] = tid[j - 1], tsc[j - 1]
          j = j - 1
        end
        tid[j], tsc[j] = id, s
      end
    end
  end
  local out = {}
  for i = 1, n do out[i] = { id = tid[i], score = tsc[i] } end
  ngx.header.content_type = "application/json"
  ngx.print(cjson.encode { items = out, total = total })
end

return M
