=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.session.intent == "buying" then return 1 end
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:35  customer.session.intent is never "buying": it is "browse", "compare" or "buy"
        if customer.session.intent == "buying" then return 1 end
                                      ^^^^^^^^

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.session.intent == "purchase" then return 1 end
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:35  customer.session.intent is never "purchase": it is "browse", "compare" or "buy"
        if customer.session.intent == "purchase" then return 1 end
                                      ^^^^^^^^^^
