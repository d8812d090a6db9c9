=== scripts/a.lua
rail = "in stock" { only = function(product) return product.stock:above(0) end }

=== says
scripts/a.lua:1:6  between a declaration and its name stands nothing
    rail = "in stock" { only = function(product) return product.stock:above(0) end }
         ^
    Hint: take it out
    With it:
    | rail "in stock" { only = function(product) return product.stock:above(0) end }

=== scripts/a.lua
rail "in stock" = { only = function(product) return product.stock:above(0) end }

=== says
scripts/a.lua:1:17  between a declaration's name and its fields stands nothing
    rail "in stock" = { only = function(product) return product.stock:above(0) end }
                    ^
    Hint: take it out
    With it:
    | rail "in stock" { only = function(product) return product.stock:above(0) end }
