=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local bonus = 0.2
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:11  warning: "bonus" is never used
        local bonus = 0.2
              ^^^^^
    Hint: use it, or take it out

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local bonus
    bonus = 2
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:11  warning: "bonus" is set and never read
        local bonus
              ^^^^^
    Hint: use it, or take it out
