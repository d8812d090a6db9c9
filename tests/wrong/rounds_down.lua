=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity // 2
  end,
}

=== says
scripts/a.lua:3:12  warning: "//" rounds down to a whole number: this is 0
        return product.affinity // 2
               ^^^^^^^^^^^^^^^^^^^^^
    Hint: write /
    With it:
    |     return product.affinity / 2

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return 1 // 3 * product.affinity
  end,
}

=== says
scripts/a.lua:3:12  warning: "//" rounds down to a whole number: this is 0
        return 1 // 3 * product.affinity
               ^^^^^^
    Hint: write /
    With it:
    |     return 1 / 3 * product.affinity
