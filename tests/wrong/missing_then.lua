=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price > 100
      return 0
    end
    return 1
  end,
}

=== says
scripts/a.lua:3:24  after the condition of an if comes then
        if product.price > 100
                           ^^^
    Hint: write then there
    With it:
    |     if product.price > 100 then

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.is_known do
      return 0
    end
    return 1
  end,
}

=== says
scripts/a.lua:3:26  after this condition comes then, not do
        if customer.is_known do
                             ^^
    Hint: write then there
    With it:
    |     if customer.is_known then
