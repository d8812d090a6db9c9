=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.country == Germany then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:28  unknown name 'Germany'
        if customer.country == Germany then return 1 end
                               ^^^^^^^
    Hint: a text stands in quotes: "Germany"
    With it:
    |     if customer.country == "Germany" then return 1 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(product.tags:contains(clearance), 0, 1)
  end,
}

=== says
scripts/a.lua:3:39  unknown name 'clearance'
        return when(product.tags:contains(clearance), 0, 1)
                                          ^^^^^^^^^
    Hint: a text stands in quotes: "clearance"
    With it:
    |     return when(product.tags:contains("clearance"), 0, 1)

=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,
  diversify = { by = brand, at_most = 2, within = 8 },
}

=== says
scripts/a.lua:3:22  unknown name 'brand'
      diversify = { by = brand, at_most = 2, within = 8 },
                         ^^^^^
    Hint: a text stands in quotes: "brand"
    With it:
    |   diversify = { by = "brand", at_most = 2, within = 8 },
