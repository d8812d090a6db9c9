=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price > 1.000.000 then return 0 end
    return 1
  end,
}

=== says
scripts/a.lua:3:24  thousands are not marked in a number
        if product.price > 1.000.000 then return 0 end
                           ^^^^^^^^^
    Hint: write 1000000
    With it:
    |     if product.price > 1000000 then return 0 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price > 1_000 then return 0 end
    return 1
  end,
}

=== says
scripts/a.lua:3:24  thousands are not marked in a number
        if product.price > 1_000 then return 0 end
                           ^^^^^
    Hint: write 1000
    With it:
    |     if product.price > 1000 then return 0 end
