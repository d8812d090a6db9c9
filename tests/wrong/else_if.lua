=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price > 100 then
      return 0
    else if product.price > 50 then
      return 1
    end
    return 2
  end,
}

=== says
scripts/a.lua:5:5  "else if" begins an if of its own, which needs its own end
        else if product.price > 50 then
        ^^^^^^^
    Hint: write elseif, in one word
    With it:
    |     elseif product.price > 50 then

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local bonus = 0
    if customer.has_ordered then
      bonus = 1
    else if customer.is_known then
      bonus = 2
    else
      bonus = 3
    end
    return product.affinity + bonus
  end,
}

=== says
scripts/a.lua:6:5  "else if" begins an if of its own, which needs its own end
        else if customer.is_known then
        ^^^^^^^
    Hint: write elseif, in one word
    With it:
    |     elseif customer.is_known then
