=== scripts/a.lua
local brands = { "Acme", nil, "Birch" }
ranking "r" {
  score = function(product, customer)
    return #brands * product.affinity
  end,
}

=== says
scripts/a.lua:4:12  warning: # cannot count a list with nil in it: it may stop there
        return #brands * product.affinity
               ^^^^^^^
    Hint: leave nil out of the list
