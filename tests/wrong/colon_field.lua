=== scripts/a.lua
ranking "r" {
  score: function(product) return product.affinity end,
}

=== says
scripts/a.lua:2:3  a field is set by =, not by a colon
      score: function(product) return product.affinity end,
      ^^^^^^
    Hint: write score = …
    With it:
    |   score = function(product) return product.affinity end,

=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,
  "explore": "5%",
}

=== says
scripts/a.lua:3:3  a field is set by =, not by a colon
      "explore": "5%",
      ^^^^^^^^^^
    Hint: write explore = …
    With it:
    |   explore = "5%",
