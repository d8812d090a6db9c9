=== shop.lua
shop "outfitter" { currency = "EUR", timezone = "Berlin" }

=== says
shop.lua:1:49  shop.timezone: there is no time zone "Berlin"; names are those of the IANA database, like "Europe/Berlin"
    shop "outfitter" { currency = "EUR", timezone = "Berlin" }
                                                    ^^^^^^^^
