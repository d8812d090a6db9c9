=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    do return product.affinity end
    local a = 1
    return a
  end,
}

=== says
scripts/a.lua:4:5  warning: this is never done: return before it leaves in every case
        local a = 1
        ^^^^^^^^^^^
    Hint: take it out, or put it before

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.is_known then
      return 1
    else
      return 0
    end
    local a = product.affinity
    return a
  end,
}

=== says
scripts/a.lua:8:5  warning: this is never done: return before it leaves in every case
        local a = product.affinity
        ^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: take it out, or put it before
