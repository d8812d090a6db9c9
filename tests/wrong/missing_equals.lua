=== scripts/a.lua
ranking "r" {
  score function(product) return product.affinity end,
}

=== says
scripts/a.lua:2:3  between a name and its value stands =
      score function(product) return product.affinity end,
      ^^^^^
    Hint: write score = …
    With it:
    |   score = function(product) return product.affinity end,

=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,
  explore "5%",
}

=== says
scripts/a.lua:3:3  between a name and its value stands =
      explore "5%",
      ^^^^^^^^^^^^
    Hint: write explore = …
    With it:
    |   explore = "5%",

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local fit product.affinity
    return fit
  end,
}

=== says
scripts/a.lua:3:11  between a name and its value stands =
        local fit product.affinity
              ^^^
    Hint: write fit = …
    With it:
    |     local fit = product.affinity
