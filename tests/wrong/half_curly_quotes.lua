=== scripts/a.lua
rail "in stock” { only = function(product) return product.stock:above(0) end }

=== says
scripts/a.lua:1:6  these quotes are curly: a text stands in straight ones
    rail "in stock” { only = function(product) return product.stock:above(0) end }
         ^^^^^^^^^^
    Hint: write "in stock"
    With it:
    | rail "in stock" { only = function(product) return product.stock:above(0) end }
