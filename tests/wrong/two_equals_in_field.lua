=== scripts/a.lua
ranking "r" {
  score == function(product) return product.affinity end,
}

=== says
scripts/a.lua:2:3  two == compare: a field is set by one =
      score == function(product) return product.affinity end,
      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write score =
    With it:
    |   score = function(product) return product.affinity end,
