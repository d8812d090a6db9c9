=== shop.lua
keys { write = env WRITE_KEY }

=== says
shop.lua:1:20  what env names stands in quotes
    keys { write = env WRITE_KEY }
                       ^^^^^^^^^
    Hint: write "WRITE_KEY"
    With it:
    | keys { write = env "WRITE_KEY" }
