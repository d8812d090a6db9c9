=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.brand == 5 then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:8  product.brand is a text and never a number: this is always no
        if product.brand == 5 then return 1 end
           ^^^^^^^^^^^^^^^^^^
    Hint: write "5"
    With it:
    |     if product.brand == "5" then return 1 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.country > 5 then return 1 end
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:8  customer.country is a text: it has no order with a number
        if customer.country > 5 then return 1 end
           ^^^^^^^^^^^^^^^^^^^^
    Hint: write "5"
    With it:
    |     if customer.country > "5" then return 1 end
