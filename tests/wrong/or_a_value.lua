=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.country == "DE" or "AT" then return 1 end
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:8  this is always a yes: "AT" is not compared with anything
        if customer.country == "DE" or "AT" then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write customer.country == … or customer.country == "AT"
    With it:
    |     if customer.country == "DE" or customer.country == "AT" then return 1 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.brand ~= "Acme" or "Birch" then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:8  this is always a yes: "Birch" is not compared with anything
        if product.brand ~= "Acme" or "Birch" then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write product.brand ~= … and product.brand ~= "Birch"
    With it:
    |     if product.brand ~= "Acme" and product.brand ~= "Birch" then return 1 end
