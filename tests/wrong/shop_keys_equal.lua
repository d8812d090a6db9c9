=== shop.lua
keys { write = "one-and-the-same", secret = "one-and-the-same" }

=== says
shop.lua:1:45  keys.secret: the same key stands twice; a write key and a secret key must differ
    keys { write = "one-and-the-same", secret = "one-and-the-same" }
                                                ^^^^^^^^^^^^^^^^^^
