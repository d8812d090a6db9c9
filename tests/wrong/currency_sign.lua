=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price > 100€ then return 0 end
    return 1
  end,
}

=== says
scripts/a.lua:3:27  money is a number without a sign: it is in the shop's currency
        if product.price > 100€ then return 0 end
                              ^
    Hint: write the number alone, as on a price tag: 19.99
    With it:
    |     if product.price > 100 then return 0 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price > $100 then return 0 end
    return 1
  end,
}

=== says
scripts/a.lua:3:24  money is a number without a sign: it is in the shop's currency
        if product.price > $100 then return 0 end
                           ^
    Hint: write the number alone, as on a price tag: 19.99
    With it:
    |     if product.price > 100 then return 0 end
