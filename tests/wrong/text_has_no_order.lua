=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(product.brand:above(3), 1)
  end,
}

=== says
scripts/a.lua:3:17  product.brand is a text: it has no order
        return when(product.brand:above(3), 1)
                    ^^^^^^^^^^^^^^^^^^^^^^
    Hint: compare it by :is or :one_of
