=== shop.lua
attributes { rating = "numeric" }

=== says
shop.lua:1:1  attributes: a kind is "number", "bool", "date", "text" or "list", like rating = "number"
    attributes { rating = "numeric" }
    ^^^^^^^^^^
