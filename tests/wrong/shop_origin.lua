=== shop.lua
keys { write = env "WRITE_KEY", origins = { "https://outfitter.example/shop" } }

=== says
shop.lua:1:43  keys.origins: an origin is like "https://outfitter.example", without a path
    keys { write = env "WRITE_KEY", origins = { "https://outfitter.example/shop" } }
                                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
