=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if false then return 1 end
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:8  warning: this condition is always no
        if false then return 1 end
           ^^^^^
    Hint: take it out with what it guards

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if 0 then return 1 end
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:8  warning: a number is always a yes here, 0 too
        if 0 then return 1 end
           ^
    Hint: compare it with something, like x > 0
