=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for i = 1, 3 do n++ end
    return n * product.affinity
  end,
}

=== says
scripts/a.lua:4:22  "++" is not known here
        for i = 1, 3 do n++ end
                         ^^
    Hint: write n = n + 1
    With it:
    |     for i = 1, 3 do n = n + 1 end
