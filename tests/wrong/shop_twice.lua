=== shop.lua
shop "outfitter" { currency = "EUR" }
shop "outfitter" { currency = "USD" }

=== says
shop.lua:2:1  there is more than one shop in shop.lua
    shop "outfitter" { currency = "USD" }
    ^^^^^^^^^^^^^^^^
