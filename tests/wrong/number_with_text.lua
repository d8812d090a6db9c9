=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price < "100" then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:8  product.price is a number: it has no order with a text
        if product.price < "100" then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^
    Hint: write 100
    With it:
    |     if product.price < 100 then return 1 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price == "19.99" then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:8  product.price is a number and never a text: this is always no
        if product.price == "19.99" then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write 19.99
    With it:
    |     if product.price == 19.99 then return 1 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(product.price:above("expensive"), 0, 1)
  end,
}

=== says
scripts/a.lua:3:37  product.price is a number and never a text
        return when(product.price:above("expensive"), 0, 1)
                                        ^^^^^^^^^^^
    Hint: compare it with a number
