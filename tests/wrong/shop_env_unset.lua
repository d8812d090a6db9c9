=== shop.lua
keys { write = env "UNSET_WRITE_KEY" }

=== says
shop.lua:1:20  the environment variable UNSET_WRITE_KEY is not set: set it, or take env "UNSET_WRITE_KEY" out
    keys { write = env "UNSET_WRITE_KEY" }
                       ^^^^^^^^^^^^^^^^^
