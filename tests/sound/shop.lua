=== shop.lua
shop "outfitter" { currency = "EUR", timezone = "Europe/Berlin", country = "DE", locale = "de" }

=== shop.lua
keys { write = env "WRITE_KEY", secret = env "SECRET_KEY", origins = { "https://outfitter.example" } }

=== shop.lua
attributes { rating = "number", released = "date", rival_brands = "list", vegan = "bool", colour = "text" }

=== shop.lua
retention { page_viewed = "90d", product_viewed = "400d" }

=== shop.lua
consent {
  analytics = { EU = "opt-in", US = "opt-out", elsewhere = "opt-in" },
  personalization = "opt-in",
  email_marketing = "opt-in",
}
