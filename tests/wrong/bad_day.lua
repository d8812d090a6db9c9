=== scripts/a.lua
rail "launch" { on = "sofas", pin = { "SKU-1" }, from = "1.12.2026" }

=== says
scripts/a.lua:1:57  rail.from must be a day, like "2026-12-01"
    rail "launch" { on = "sofas", pin = { "SKU-1" }, from = "1.12.2026" }
                                                            ^^^^^^^^^^^
