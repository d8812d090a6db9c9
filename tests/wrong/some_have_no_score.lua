=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.stock > 0 then
      return product.affinity
    end
  end,
}

=== says
scripts/a.lua:6:3  warning: a product that gets here has no score and comes last
      end,
      ^^^
    Hint: write return 0 before it, or the score such a product has
    With it:
    |   return 0 end,
