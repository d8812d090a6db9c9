=== scripts/lib/prices.lua
return { base = 10 }

=== scripts/a.lua
local prices = require "lib.prices"
ranking "r" {
  score = function(product, customer)
    return product.affinity
  end,
}

=== says
scripts/a.lua:1:7  warning: the module "prices" is loaded and never used
    local prices = require "lib.prices"
          ^^^^^^
    Hint: take the line out, or use it: prices.…
