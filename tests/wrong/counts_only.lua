=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for tag in ipairs(product.tags) do
      if tag == "sale" then n = n + 1 end
    end
    return n
  end,
}

=== says
scripts/a.lua:4:9  warning: "tag" counts 1, 2, 3 …: what is in the list comes second
        for tag in ipairs(product.tags) do
            ^^^
    Hint: write for _, tag in
    With it:
    |     for _, tag in ipairs(product.tags) do
