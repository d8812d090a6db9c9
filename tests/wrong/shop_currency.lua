=== shop.lua
shop "outfitter" {
  currency = "Euro",
  timezone = "Europe/Berlin",
}

=== says
shop.lua:2:14  shop.currency must be three capital letters, like "EUR"
      currency = "Euro",
                 ^^^^^^
