=== scripts/a.lua
rail "in stock" { only = function(product) return product.stock:above 0 end }

=== says
scripts/a.lua:1:65  a number that is handed over stands in brackets
    rail "in stock" { only = function(product) return product.stock:above 0 end }
                                                                    ^^^^^^^
    Hint: write above(0)
    With it:
    | rail "in stock" { only = function(product) return product.stock:above(0) end }
