=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 3
    n--
    return n * product.affinity
  end,
}

=== says
scripts/a.lua:4:5  "--" begins a comment here: it does not count down
        n--
        ^^^
    Hint: write n = n - 1
    With it:
    |     n = n - 1
