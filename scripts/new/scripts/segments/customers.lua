-- SPDX-License-Identifier: Apache-2.0
--
-- Who your customers are. attune keeps each group up to date, also when nothing
-- happens but time. Ask in any rule: if customer:in_segment "vip" then … end

-- How long is usual between two orders? Each person's own rhythm, which attune
-- learns; until there is one, this.
local usual = days(90)

-- Ordered for the first time within the last month.
segment "new" {
  when = function(customer) return now() - customer.orders.first_at < days(30) end,
}

-- Within their rhythm.
segment "active" {
  when = function(customer)
    return customer.orders.since_last <= 1.5 * (customer.orders.typical_interval or usual)
  end,
}

-- Half as long again as usual has gone by: now is the time to say hello.
segment "lapsing" {
  when = function(customer)
    return customer.orders.since_last > 1.5 * (customer.orders.typical_interval or usual)
  end,
}

-- The few that carry the shop. 1000 is money, as on a price tag.
segment "vip" {
  when = function(customer)
    return customer.orders.count >= 5 or customer.orders.revenue >= 1000
  end,
}
