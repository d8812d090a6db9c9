=== scripts/lib/prices.lua
local base = 10
print(base)

=== scripts/a.lua
local prices = require "lib.prices"
ranking "r" {
  score = function(product, customer)
    return prices.base * product.affinity
  end,
}

=== says
scripts/a.lua:1:24  scripts/lib/prices.lua must end with return { … }
    local prices = require "lib.prices"
                           ^^^^^^^^^^^^
