=== scripts/a.lua
local best = 0
ranking "r" {
  score = function(product, customer)
    best = max(best, product.affinity)
    return best
  end,
}

=== says
scripts/a.lua:4:5  'best' belongs to the file: nothing lives in Lua between calls, so what a rule puts there is lost
        best = max(best, product.affinity)
        ^^^^
    Hint: declare it inside the function: local best = …
