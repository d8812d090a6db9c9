=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    If product.price > 100 then return 0 end
    return 1
  end,
}

=== says
scripts/a.lua:3:5  "If" is written in small letters: if
        If product.price > 100 then return 0 end
        ^^
    Hint: write if
    With it:
    |     if product.price > 100 then return 0 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price > 100 THEN return 0 end
    return 1
  end,
}

=== says
scripts/a.lua:3:28  "THEN" is written in small letters: then
        if product.price > 100 THEN return 0 end
                               ^^^^
    Hint: write then
    With it:
    |     if product.price > 100 then return 0 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.is_known AND product.stock > 0 then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:26  "AND" is written in small letters: and
        if customer.is_known AND product.stock > 0 then return 1 end
                             ^^^
    Hint: write and
    With it:
    |     if customer.is_known and product.stock > 0 then return 1 end
