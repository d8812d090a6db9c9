=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,
  diversify = { by = "brand", at_most = 0, within = 8 },
}

=== says
scripts/a.lua:3:41  ranking.diversify.at_most must be a whole number from 1
      diversify = { by = "brand", at_most = 0, within = 8 },
                                            ^
