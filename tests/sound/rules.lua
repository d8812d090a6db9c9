=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product)
    return 0.4 * product.affinity + 0.2 * product.popularity - 0.3 * product.seen
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local fit = product.affinity
    local proof = product.rating:or_else(3.5) / 5
    return fit + proof
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(product.age:below "14d", 0.1) + when(product.price:between(10, 50), 1, 0)
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price > 100 then
      return 0
    elseif product.price > 50 then
      return 1
    else
      return 2
    end
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.stock < 5 and customer.is_returning then return 0.2 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return all(product.stock:at_least(1), no(product.brand:is "Acme")) and 1 or 0
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(any(product.brand:one_of { "Acme", "Birch" }, product.tags:contains "sale"), 1)
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return min(product.bought, 1) + max(product.margin, product.discount) - clamp(product.seen, 0, 0.5)
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return log(product.price) + sqrt(product.cost) + normalize(product.rating) - rank_of(product.price) / 1000
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for _, tag in ipairs(product.tags) do
      if tag == "t1" then n = n + 1 end
    end
    return n
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for i = 1, 3 do n = n + i * product.affinity end
    return n
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for i in ipairs(product.tags) do n = n + i end
    return n
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n, i = 0, 0
    while i < 3 do
      i = i + 1
      n = n + i
    end
    return n * product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    repeat n = n + 1 until n > 3
    return n * product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for i = 1, 10 do
      if i > 3 then break end
      n = n + i
    end
    return n * product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.session.intent == "buy" then return product.conversion end
    return product.popularity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return customer.affinity.brand[product.brand] + 0
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return customer:count("product_viewed", { within = "7d" }) * product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer:did("order_completed", { since = customer.orders.last_at }) then return 1 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local last = customer:last "product_viewed"
    if last and last.time > now() - hours(1) then return 1 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer:may "personalization" then return product.affinity end
    return product.popularity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.country == "DE" or customer.country == "AT" then return 1 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if not (customer.country == "DE") then return 1 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if not customer.is_known then return product.popularity end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price ~= nil and product.price > 10 then return 1 end
    return 0
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local label = product.brand or "none"
    if label == "none" then return 0 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local text = (product.brand or "") .. "/" .. (product.category or "")
    if text == "b1/c1" then return 1 end
    return 0
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return (product.price or 0) // 10 % 3
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return math.floor(product.rating or 0) + math.max(1, 2)
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer, page)
    if page.category == "c1" and page.name == "collection" then return 1 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer, page)
    if page.product and page.product.brand == product.brand then return 1 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.released > now() - days(30) then return 1 end
    return 0
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.age < days(14) then return 1 end
    return 0
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.orders.since_last > 1.5 * customer.orders.typical_interval then return 1 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.orders.since_last > weeks(6) + minutes(30) - seconds(5) then return 1 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.consent.email_marketing == "granted" then return 1 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.traits.tier == "gold" and customer.traits.points > 10 then return 1 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.vegan == true then return 1 end
    return 0
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.vegan then return 1 end
    return product["price"] / 100
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local weights = { b1 = 1, b2 = 2 }
    return weights[product.brand] or 0
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local list = { "b1", "b2", "b3" }
    return #list * product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local low, high = 10, 50
    if low < product.price and product.price < high then return 1 end
    return 0
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    do
      local bonus = 0.1
      return product.affinity + bonus
    end
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.is_known then
      return product.affinity
    else
      if customer.is_returning then return product.trending end
      return product.popularity
    end
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local _unused = 1
    return product.affinity ^ 2 - -product.seen
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if string.sub(customer.country or "", 1, 1) == "D" then return 1 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local text = customer.email or ""
    if text:find("@b.example", 1, true) then return 1 end
    return product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local sorted = { 3, 1, 2 }
    table.sort(sorted)
    return sorted[1] * product.affinity
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local ok, value = pcall(function() return customer.orders.count + 1 end)
    return ok and value * product.affinity or 0
  end,
}

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    goto done
    ::done::
    return product.affinity
  end,
}

=== scripts/a.lua
local function half(x)
  return x / 2
end

ranking "r" {
  score = function(product) return half(product.affinity) end,
  first = function(product) return product.tags:contains "t1" end,
  diversify = { by = "brand", at_most = 2, within = 8 },
  explore = "5%",
}

=== scripts/a.lua
local function score(product) return product.affinity end
ranking "a" { score = score }
ranking "b" { score = score, explore = "0.5%" }

=== scripts/a.lua
local base <const> = 10
ranking "r" { score = function(product) return product.affinity * base end }

=== scripts/a.lua
local weight = {}
weight.fit = 0.4
weight.proof = 0.6
ranking "r" { score = function(product) return weight.fit * product.affinity + weight.proof * product.popularity end }

=== scripts/a.lua
rail "in stock" { only = function(product) return product.stock:above(0) end }

=== scripts/a.lua
rail "sold out" { hide = function(product) if product.stock == 0 then return true end end }

=== scripts/a.lua
rail "launch" { on = "collection/sofas", pin = { "P001", [5] = "P002" }, from = "2026-12-01", to = "2026-12-24" }

=== scripts/a.lua
rail "clearance" { on = "collection", bury = function(product) return product.tags:contains "t2" end }

=== scripts/a.lua
rail "no rival" { on = "product", hide = function(product, customer, page) return product.brand:is(page.product.brand) end }

=== scripts/a.lua
segment "vip" { when = function(customer) return customer.orders.count >= 5 or customer.orders.revenue >= 1000 end }

=== scripts/a.lua
segment "new" { when = function(customer) return not customer.has_ordered end, recheck = "1d" }

=== scripts/a.lua
segment "vip" { when = function(customer) return customer.orders.count > 4 end }
segment "best" { when = function(customer) return customer:in_segment "vip" and customer.basket.value > 50 end }

=== scripts/a.lua
segment "lapsing" { when = function(customer) return customer.has_ordered and customer.orders.since_last:above "60d" end }

=== scripts/a.lua
segment "mobile" { when = function(customer) return customer.session.device == "mobile" and customer.session.pages > 2 end }

=== scripts/a.lua
segment "campaign" { when = function(customer) return customer.acquired.campaign:is "summer" end }

=== scripts/a.lua
-- nothing here yet
