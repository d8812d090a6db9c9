=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.brand = "Acme" then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:22  one = sets a value: to compare it takes two
        if product.brand = "Acme" then return 1 end
                         ^
    Hint: write ==
    With it:
    |     if product.brand == "Acme" then return 1 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if (customer.country = "DE") then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:26  one = sets a value: to compare it takes two
        if (customer.country = "DE") then return 1 end
                             ^
    Hint: write ==
    With it:
    |     if (customer.country == "DE") then return 1 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.is_known and product.stock = 0 then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:44  one = sets a value: to compare it takes two
        if customer.is_known and product.stock = 0 then return 1 end
                                               ^
    Hint: write ==
    With it:
    |     if customer.is_known and product.stock == 0 then return 1 end
