=== scripts/a.lua
ranking "r" {
  scor = function(product) return product.affinity end,
}

=== says
scripts/a.lua:2:3  a ranking has no field "scor" — did you mean "score"?
      scor = function(product) return product.affinity end,
      ^^^^
    Hint: write score
    With it:
    |   score = function(product) return product.affinity end,

=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,
  explor = "5%",
}

=== says
scripts/a.lua:3:3  a ranking has no field "explor" — did you mean "explore"?
      explor = "5%",
      ^^^^^^
    Hint: write explore
    With it:
    |   explore = "5%",
