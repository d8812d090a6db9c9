=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return wehn(product.price:above(100), 1)
  end,
}

=== says
scripts/a.lua:3:12  unknown name 'wehn' — did you mean 'when'?
        return wehn(product.price:above(100), 1)
               ^^^^
    Hint: write when
    With it:
    |     return when(product.price:above(100), 1)

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity + mim(product.bought, 1)
  end,
}

=== says
scripts/a.lua:3:31  unknown name 'mim' — did you mean 'min'?
        return product.affinity + mim(product.bought, 1)
                                  ^^^
    Hint: write min
    With it:
    |     return product.affinity + min(product.bought, 1)
