=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.released > "2026-01-01" then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:8  product.released is a moment: it has no order with a text
        if product.released > "2026-01-01" then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: compare it with a moment, like now() - days(30)
