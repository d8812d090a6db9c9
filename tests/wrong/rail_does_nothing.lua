=== scripts/a.lua
rail "launch" { on = "sofas" }

=== says
scripts/a.lua:1:6  rail "launch" does nothing: it needs hide, only, bury or pin
    rail "launch" { on = "sofas" }
         ^^^^^^^^
