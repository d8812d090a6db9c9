=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.country != "DE" then
      return 0
    end
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:25  "!=" is not known here: "is not" is written ~=
        if customer.country != "DE" then
                            ^^
    Hint: write ~=
    With it:
    |     if customer.country ~= "DE" then

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.brand !== "Acme" then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:22  "!==" is not known here: "is not" is written ~=
        if product.brand !== "Acme" then return 1 end
                         ^^^
    Hint: write ~=
    With it:
    |     if product.brand ~= "Acme" then return 1 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(product.stock <> 0, 1)
  end,
}

=== says
scripts/a.lua:3:31  "<>" is not known here: "is not" is written ~=
        return when(product.stock <> 0, 1)
                                  ^^
    Hint: write ~=
    With it:
    |     return when(product.stock ~= 0, 1)
