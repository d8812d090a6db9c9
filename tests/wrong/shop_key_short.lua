=== shop.lua
keys { write = "abc" }

=== says
shop.lua:1:16  keys.write must be a text of 8 to 200 characters, best env "NAME"
    keys { write = "abc" }
                   ^^^^^
