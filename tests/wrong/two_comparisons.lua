=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if 10 < product.price < 50 then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:8  two comparisons in a row: the second has only a yes or no to look at
        if 10 < product.price < 50 then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write … and product.price < …
    With it:
    |     if 10 < product.price and product.price < 50 then return 1 end
