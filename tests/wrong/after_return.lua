=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity
    product.seen = 0
  end,
}

=== says
scripts/a.lua:4:5  nothing behind return is ever done: return ends the function
        product.seen = 0
        ^^^^^^^
    Hint: put return last, or take this out

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity
    local x = 1
  end,
}

=== says
scripts/a.lua:4:5  nothing behind return is ever done: return ends the function
        local x = 1
        ^^^^^
    Hint: put return last, or take this out
