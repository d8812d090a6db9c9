=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(product.brand:is(`Acme`), 1)
  end,
}

=== says
scripts/a.lua:3:34  ` does not begin a text: " does
        return when(product.brand:is(`Acme`), 1)
                                     ^^^^^^
    Hint: write "Acme"
    With it:
    |     return when(product.brand:is("Acme"), 1)
