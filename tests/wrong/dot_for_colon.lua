=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.in_segment "vip" then return 1 end
    return 0
  end,
}
segment "vip" { when = function(customer) return customer.has_ordered end }

=== says
scripts/a.lua:3:8  a dot reads, a colon asks: before in_segment stands a colon
        if customer.in_segment "vip" then return 1 end
           ^^^^^^^^^^^^^^^^^^^
    Hint: write customer:in_segment
    With it:
    |     if customer:in_segment "vip" then return 1 end

=== scripts/a.lua
rail "in stock" { only = function(product) return product.stock.above(0) end }

=== says
scripts/a.lua:1:51  a dot reads, a colon asks: before above stands a colon
    rail "in stock" { only = function(product) return product.stock.above(0) end }
                                                      ^^^^^^^^^^^^^^^^^^^
    Hint: write product.stock:above
    With it:
    | rail "in stock" { only = function(product) return product.stock:above(0) end }

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return customer.count("order_completed") + product.affinity
  end,
}

=== says
scripts/a.lua:3:12  a dot reads, a colon asks: before count stands a colon
        return customer.count("order_completed") + product.affinity
               ^^^^^^^^^^^^^^
    Hint: write customer:count
    With it:
    |     return customer:count("order_completed") + product.affinity
