=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price > 50 then
      return 1
    elseif product.price > 100 then
      return 2
    end
    return 0
  end,
}

=== says
scripts/a.lua:5:12  warning: whoever passes this has passed line 3 before: it is never reached
        elseif product.price > 100 then
               ^^^^^^^^^^^^^^^^^^^
    Hint: ask for the narrower one first

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.is_known then
      return 1
    elseif customer.is_known then
      return 2
    end
    return product.affinity
  end,
}

=== says
scripts/a.lua:5:12  warning: line 3 has asked the same: this is never a yes here
        elseif customer.is_known then
               ^^^^^^^^^^^^^^^^^
    Hint: take it out, or ask something else
