=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return customer:count("order_completed", within = "30d") + product.affinity
  end,
}

=== says
scripts/a.lua:3:46  values with names stand in braces
        return customer:count("order_completed", within = "30d") + product.affinity
                                                 ^^^^^^^^^^^^^^
    Hint: write { within = "30d" }
    With it:
    |     return customer:count("order_completed", { within = "30d" }) + product.affinity
