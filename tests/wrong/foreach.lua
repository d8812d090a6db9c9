=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    foreach tag in product.tags do
      n = n + 1
    end
    return n
  end,
}

=== says
scripts/a.lua:4:5  "foreach" is not known here: it is written for
        foreach tag in product.tags do
        ^^^^^^^
    Hint: write for
    With it:
    |     for tag in product.tags do
