=== shop.lua
consent { analytics = "opt in", personalization = "opt-in" }

=== says
shop.lua:1:23  consent.analytics: there is no "opt in" — did you mean "opt-in"?
    consent { analytics = "opt in", personalization = "opt-in" }
                          ^^^^^^^^
    Hint: write "opt-in"
    With it:
    | consent { analytics = "opt-in", personalization = "opt-in" }

=== shop.lua
consent { analytics = { EU = "opt-in" } }

=== says
shop.lua:1:23  consent.analytics: say what holds elsewhere: elsewhere = "opt-in"
    consent { analytics = { EU = "opt-in" } }
                          ^^^^^^^^^^^^^^^^^
