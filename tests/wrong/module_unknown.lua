=== scripts/a.lua
local prices = require "lib.prises"
ranking "r" {
  score = function(product, customer)
    return prices.base * product.affinity
  end,
}

=== says
scripts/a.lua:1:24  there is no scripts/lib/prises.lua
    local prices = require "lib.prises"
                           ^^^^^^^^^^^^
