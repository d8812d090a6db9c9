=== scripts/a.lua
local prices = require "prices"
ranking "r" {
  score = function(product, customer)
    return prices.base * product.affinity
  end,
}

=== says
scripts/a.lua:1:24  require loads your own modules from scripts/lib only: require "lib.prices"
    local prices = require "prices"
                           ^^^^^^^^
