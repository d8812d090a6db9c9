=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price =< 50 then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:22  "=<" is not known here: "at most" is written <=
        if product.price =< 50 then return 1 end
                         ^^
    Hint: write <=
    With it:
    |     if product.price <= 50 then return 1 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price => 50 then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:22  "=>" is not known here: "at least" is written >=
        if product.price => 50 then return 1 end
                         ^^
    Hint: write >=
    With it:
    |     if product.price >= 50 then return 1 end
