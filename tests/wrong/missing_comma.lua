=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end
  explore = "5%",
}

=== says
scripts/a.lua:2:56  between two fields stands a comma
      score = function(product) return product.affinity end
                                                           ^
    Hint: put a comma here
    With it:
    |   score = function(product) return product.affinity end,

=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,
  diversify = { by = "brand" at_most = 2, within = 8 },
}

=== says
scripts/a.lua:3:29  between two fields stands a comma
      diversify = { by = "brand" at_most = 2, within = 8 },
                                ^
    Hint: put a comma here
    With it:
    |   diversify = { by = "brand", at_most = 2, within = 8 },

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return max(product.affinity product.popularity)
  end,
}

=== says
scripts/a.lua:3:32  between two values stands a comma
        return max(product.affinity product.popularity)
                                   ^
    Hint: put a comma here
    With it:
    |     return max(product.affinity, product.popularity)
