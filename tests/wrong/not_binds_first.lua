=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if not customer.country == "DE" then return 1 end
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:8  "not" takes only what stands right behind it: this compares yes or no with "DE"
        if not customer.country == "DE" then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write customer.country ~= "DE"
    With it:
    |     if customer.country ~= "DE" then return 1 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if not product.price > 100 then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:8  "not" takes only what stands right behind it: this compares yes or no with 100
        if not product.price > 100 then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write not (product.price > 100)
    With it:
    |     if not (product.price > 100) then return 1 end
