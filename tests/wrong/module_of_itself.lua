=== scripts/lib/a.lua
local b = require "lib.b"
return { base = b.base }

=== scripts/lib/b.lua
local a = require "lib.a"
return { base = a.base }

=== scripts/a.lua
local a = require "lib.a"
ranking "r" {
  score = function(product, customer)
    return a.base * product.affinity
  end,
}

=== says
scripts/lib/b.lua:1:19  module "lib.a" requires itself
    local a = require "lib.a"
                      ^^^^^^^
