=== scripts/a.lua
rail "in stock { only = function(product) return product.stock:above(0) end }

=== says
scripts/a.lua:1:6  this text has no closing quote
    rail "in stock { only = function(product) return product.stock:above(0) end }
         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write "in stock"
    With it:
    | rail "in stock" { only = function(product) return product.stock:above(0) end }

=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,
  explore = "5%,
}

=== says
scripts/a.lua:3:13  this text has no closing quote
      explore = "5%,
                ^^^^
    Hint: write "5%"
    With it:
    |   explore = "5%",

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(product.brand:is("Acme), 1)
  end,
}

=== says
scripts/a.lua:3:34  this text has no closing quote
        return when(product.brand:is("Acme), 1)
                                     ^^^^^^^^^^
    Hint: write "Acme"
    With it:
    |     return when(product.brand:is("Acme"), 1)
