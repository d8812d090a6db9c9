=== shop.lua
retention { page_viewed = 90 }

=== says
shop.lua:1:27  retention.page_viewed must be a time like "90d"
    retention { page_viewed = 90 }
                              ^^

=== shop.lua
retention { page_viewed = "90 days" }

=== says
shop.lua:1:27  retention.page_viewed: "90 days" is not a span of time: write whole numbers with s, m, h, d or w, largest first, like "90s", "1h30m" or "7d" (at most 100000d)
    retention { page_viewed = "90 days" }
                              ^^^^^^^^^
