=== shop.lua
shop "outfitter" { currency = "EUR" timezone = "Europe/Berlin" }

=== says
shop.lua:1:36  between two fields stands a comma
    shop "outfitter" { currency = "EUR" timezone = "Europe/Berlin" }
                                       ^
    Hint: put a comma here
    With it:
    | shop "outfitter" { currency = "EUR", timezone = "Europe/Berlin" }
