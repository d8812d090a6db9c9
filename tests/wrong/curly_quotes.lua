=== scripts/a.lua
rail “in stock” { only = function(product) return product.stock:above(0) end }

=== says
scripts/a.lua:1:6  these quotes are curly: a text stands in straight ones
    rail “in stock” { only = function(product) return product.stock:above(0) end }
         ^^^^^^^^^^
    Hint: write "in stock"
    With it:
    | rail "in stock" { only = function(product) return product.stock:above(0) end }

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(product.brand:is(„Acme“), 1)
  end,
}

=== says
scripts/a.lua:3:34  these quotes are curly: a text stands in straight ones
        return when(product.brand:is(„Acme“), 1)
                                     ^^^^^^
    Hint: write "Acme"
    With it:
    |     return when(product.brand:is("Acme"), 1)

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(product.tags:contains ‘sale’, 1)
  end,
}

=== says
scripts/a.lua:3:39  these quotes are curly: a text stands in straight ones
        return when(product.tags:contains ‘sale’, 1)
                                          ^^^^^^
    Hint: write "sale"
    With it:
    |     return when(product.tags:contains "sale", 1)
