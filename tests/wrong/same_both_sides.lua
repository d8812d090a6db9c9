=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price == product.price then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:8  warning: the same stands on both sides
        if product.price == product.price then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: one of them was meant to be something else
