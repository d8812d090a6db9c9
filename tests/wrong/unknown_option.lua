=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return customer:count("order_completed", { witin = "30d" }) + product.affinity
  end,
}

=== says
scripts/a.lua:3:48  customer:count has no option "witin" — did you mean "within"?
        return customer:count("order_completed", { witin = "30d" }) + product.affinity
                                                   ^^^^^
