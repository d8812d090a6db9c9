=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for i = 1 to 3 do
      n = n + i
    end
    return n * product.affinity
  end,
}

=== says
scripts/a.lua:4:15  a loop counts from a number to a number with a comma between
        for i = 1 to 3 do
                  ^^
    Hint: write for i = 1, 3 do
    With it:
    |     for i = 1, 3 do
