=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.prize
  end,
}

=== says
scripts/a.lua:3:20  a product has no field "prize" — did you mean "price"?
        return product.prize
                       ^^^^^
