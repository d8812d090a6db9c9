=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.discount > "20%" then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:8  product.discount is a number from 0 to 1: it has no order with a text
        if product.discount > "20%" then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write 0.2
    With it:
    |     if product.discount > 0.2 then return 1 end
