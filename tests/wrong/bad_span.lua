=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return customer:count("order_completed", { within = "30 days" }) + product.affinity
  end,
}

=== says
scripts/a.lua:3:57  within: "30 days" is not a span of time: write whole numbers with s, m, h, d or w, largest first, like "90s", "1h30m" or "7d" (at most 100000d)
        return customer:count("order_completed", { within = "30 days" }) + product.affinity
                                                            ^^^^^^^^^
