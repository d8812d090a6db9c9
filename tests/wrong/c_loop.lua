=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for (i = 0; i < 3; i++) {
      n = n + i
    }
    return n * product.affinity
  end,
}

=== says
scripts/a.lua:4:9  counting is written without brackets: for i = 1, 3 do
        for (i = 0; i < 3; i++) {
            ^^^^^^^^^^^^^^^^^^^
    Hint: write for i = 1, 3 do … end
    With it:
    |     for i = 0, 2 do
    |       n = n + i
    |     end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for (let i = 1; i <= 3; i++) do
      n = n + i
    end
    return n * product.affinity
  end,
}

=== says
scripts/a.lua:4:9  counting is written without brackets: for i = 1, 3 do
        for (let i = 1; i <= 3; i++) do
            ^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write for i = 1, 3 do … end
    With it:
    |     for i = 1, 3 do
