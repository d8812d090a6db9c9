=== scripts/a.lua
segment "lapsing" {
  when = function(customer) return customer.orders.since_last > 30 end,
}

=== says
scripts/a.lua:2:65  customer.orders.since_last is a time: 30 what?
      when = function(customer) return customer.orders.since_last > 30 end,
                                                                    ^^
    Hint: write days(30), hours(30) or the like

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(product.age:below(14), 1)
  end,
}

=== says
scripts/a.lua:3:35  product.age is a time: 14 what?
        return when(product.age:below(14), 1)
                                      ^^
    Hint: write days(14), hours(14) or the like
