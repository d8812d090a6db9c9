=== scripts/a.lua
local function half(x) return x / 2 end
ranking "r" {
  score = function(product, customer)
    return product.affinity
  end,
}

=== says
scripts/a.lua:1:16  warning: the function "half" is never called
    local function half(x) return x / 2 end
                   ^^^^
    Hint: call it, or take it out
