=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,,
}

=== says
scripts/a.lua:2:57  there is one comma too many
      score = function(product) return product.affinity end,,
                                                            ^
    Hint: take it out
    With it:
    |   score = function(product) return product.affinity end,
