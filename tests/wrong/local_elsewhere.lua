=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price > 100 then
      local bonus = 1
    end
    return product.affinity + bonus
  end,
}

=== says
scripts/a.lua:6:31  'bonus' is not there: its local begins elsewhere
        return product.affinity + bonus
                                  ^^^^^
    Hint: declare it before, where both can see it: local bonus
