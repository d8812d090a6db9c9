=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return 0,5 * product.affinity
  end,
}

=== says
scripts/a.lua:3:12  a comma parts two values: a number has a point
        return 0,5 * product.affinity
               ^^^
    Hint: write 0.5
    With it:
    |     return 0.5 * product.affinity
