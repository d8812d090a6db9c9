=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return max(product.affinity, product.popularity
  end,
}

=== says
scripts/a.lua:4:3  the "(" of line 3 has no ")"
      end,
      ^^^
    Hint: write ) where it ends
    With it:
    |     return max(product.affinity, product.popularity)

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return (product.affinity + product.popularity
  end,
}

=== says
scripts/a.lua:4:3  the "(" of line 3 has no ")"
      end,
      ^^^
    Hint: write ) where it ends
    With it:
    |     return (product.affinity + product.popularity)
