=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,

=== says
scripts/a.lua:2:56  the "{" of line 1 has no "}"
      score = function(product) return product.affinity end,
                                                           ^
    Hint: write } where it ends
    With it:
    | }

=== scripts/a.lua
rail "in stock" {
  only = function(product) return product.stock:above(0) end

rail "launch" { on = "sofas", pin = { "SKU-1" } }

=== says
scripts/a.lua:2:61  between two fields stands a comma
      only = function(product) return product.stock:above(0) end
                                                                ^
    Hint: put a comma here
    With it:
    |   only = function(product) return product.stock:above(0) end,
