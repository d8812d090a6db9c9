=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local max_price = 100
    return when(product.price:above(max_prise), 0, 1)
  end,
}

=== says
scripts/a.lua:4:37  unknown name 'max_prise' — did you mean 'max_price'?
        return when(product.price:above(max_prise), 0, 1)
                                        ^^^^^^^^^
    Hint: write max_price
    With it:
    |     return when(product.price:above(max_price), 0, 1)
