=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price ≤ 50 then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:22  "≤" is not known here: "at most" is written <=
        if product.price ≤ 50 then return 1 end
                         ^
    Hint: write <=
    With it:
    |     if product.price <= 50 then return 1 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.price × 2
  end,
}

=== says
scripts/a.lua:3:26  "×" is not known here: "times" is written *
        return product.price × 2
                             ^
    Hint: write *
    With it:
    |     return product.price * 2

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity – product.seen
  end,
}

=== says
scripts/a.lua:3:29  "–" is not known here: "minus" is written -
        return product.affinity – product.seen
                                ^
    Hint: write -
    With it:
    |     return product.affinity - product.seen
