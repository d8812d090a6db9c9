=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.stock > 0 ? 1 : 0
  end,
}

=== says
scripts/a.lua:3:30  there is no ? here: when(condition, yes, no) chooses
        return product.stock > 0 ? 1 : 0
                                 ^
    Hint: write when(condition, yes, no)
    With it:
    |     return when(product.stock > 0, 1, 0)

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local base = customer.is_known ? 1 : 0.5
    return base * product.affinity
  end,
}

=== says
scripts/a.lua:3:36  there is no ? here: when(condition, yes, no) chooses
        local base = customer.is_known ? 1 : 0.5
                                       ^
    Hint: write when(condition, yes, no)
    With it:
    |     local base = when(customer.is_known, 1, 0.5)
