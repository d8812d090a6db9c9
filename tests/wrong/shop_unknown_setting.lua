=== shop.lua
shop "outfitter" { curency = "EUR" }

=== says
shop.lua:1:20  shop has no field "curency" — did you mean "currency"?
    shop "outfitter" { curency = "EUR" }
                       ^^^^^^^
    Hint: write currency
    With it:
    | shop "outfitter" { currency = "EUR" }

=== shop.lua
shpo "outfitter" { currency = "EUR" }

=== says
shop.lua:1:1  unknown name 'shpo' — did you mean 'shop'?
    shpo "outfitter" { currency = "EUR" }
    ^^^^
    Hint: write shop
    With it:
    | shop "outfitter" { currency = "EUR" }

=== shop.lua
keys { writ = env "WRITE_KEY", secret = env "SECRET_KEY" }

=== says
shop.lua:1:8  keys has no field "writ" — did you mean "write"?
    keys { writ = env "WRITE_KEY", secret = env "SECRET_KEY" }
           ^^^^
    Hint: write write
    With it:
    | keys { write = env "WRITE_KEY", secret = env "SECRET_KEY" }
