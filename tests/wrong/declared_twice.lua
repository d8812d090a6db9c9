=== scripts/a.lua
ranking "r" { score = function(product) return product.affinity end }
ranking "r" { score = function(product) return product.seen end }

=== says
scripts/a.lua:2:9  there is already a ranking "r", in scripts/a.lua:1
    ranking "r" { score = function(product) return product.seen end }
            ^^^

=== scripts/a.lua
rail "in stock" { only = function(product) return product.stock:above(0) end }

=== scripts/b.lua
rail "in stock" { hide = function(product) return product.stock:at_most(0) end }

=== says
scripts/b.lua:1:6  there is already a rail "in stock", in scripts/a.lua:1
    rail "in stock" { hide = function(product) return product.stock:at_most(0) end }
         ^^^^^^^^^^
