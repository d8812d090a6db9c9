=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    score = product.affinity
    return score
  end,
}

=== says
scripts/a.lua:3:5  'score' is not declared
        score = product.affinity
        ^^^^^
    Hint: write local score = …
    With it:
    |     local score = product.affinity

=== scripts/a.lua
function half(x) return x / 2 end
ranking "r" {
  score = function(product, customer)
    return half(product.affinity)
  end,
}

=== says
scripts/a.lua:1:10  'half' is not declared
    function half(x) return x / 2 end
             ^^^^
    Hint: write local function half
    With it:
    | local function half(x) return x / 2 end
