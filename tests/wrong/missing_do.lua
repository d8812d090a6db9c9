=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for i = 1, 3
      n = n + i
    end
    return n * product.affinity
  end,
}

=== says
scripts/a.lua:4:16  after for … or while … comes do
        for i = 1, 3
                   ^
    Hint: write do there
    With it:
    |     for i = 1, 3 do

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for i = 1, 3 then
      n = n + i
    end
    return n * product.affinity
  end,
}

=== says
scripts/a.lua:4:18  after this for or while comes do, not then
        for i = 1, 3 then
                     ^^^^
    Hint: write do there
    With it:
    |     for i = 1, 3 do
