=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.is_known && product.stock > 0 then
      return 1
    end
    return 0
  end,
}

=== says
scripts/a.lua:3:26  "&&" is not known here: the word for it is and
        if customer.is_known && product.stock > 0 then
                             ^^
    Hint: write and
    With it:
    |     if customer.is_known and product.stock > 0 then

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.is_known&&customer.has_ordered then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:25  "&&" is not known here: the word for it is and
        if customer.is_known&&customer.has_ordered then return 1 end
                            ^^
    Hint: write and
    With it:
    |     if customer.is_known and customer.has_ordered then return 1 end
