=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,
  score = function(product) return product.seen end,
}

=== says
scripts/a.lua:3:3  "score" stands here a second time: line 2 has it already
      score = function(product) return product.seen end,
      ^^^^^
    Hint: keep one of them

=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,
  diversify = { by = "brand", at_most = 2, within = 8, by = "category" },
}

=== says
scripts/a.lua:3:56  "by" stands here a second time: line 3 has it already
      diversify = { by = "brand", at_most = 2, within = 8, by = "category" },
                                                           ^^
    Hint: keep one of them
