=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return customer:count("order_completed", { within = 30 }) + product.affinity
  end,
}

=== says
scripts/a.lua:3:57  within = 30: 30 what? write "30d"
        return customer:count("order_completed", { within = 30 }) + product.affinity
                                                            ^^
