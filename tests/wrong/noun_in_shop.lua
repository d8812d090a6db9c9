=== shop.lua
shop "outfitter" { currency = "EUR" }
ranking "r" { score = function(product) return 1 end }

=== says
shop.lua:2:1  ranking does not belong in shop.lua
    ranking "r" { score = function(product) return 1 end }
    ^^^^^^^
    Hint: put it into a file of scripts/
