=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(product.age:below(14d), 1)
  end,
}

=== says
scripts/a.lua:3:35  a time stands in quotes
        return when(product.age:below(14d), 1)
                                      ^^^
    Hint: write "14d"
    With it:
    |     return when(product.age:below("14d"), 1)

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return customer:count("order_completed", { within = 30d }) + product.affinity
  end,
}

=== says
scripts/a.lua:3:57  a time stands in quotes
        return customer:count("order_completed", { within = 30d }) + product.affinity
                                                            ^^^
    Hint: write "30d"
    With it:
    |     return customer:count("order_completed", { within = "30d" }) + product.affinity
