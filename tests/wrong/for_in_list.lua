=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for _, tag in product.tags do
      if tag == "sale" then n = n + 1 end
    end
    return n
  end,
}

=== says
scripts/a.lua:4:19  a loop goes over a list with ipairs
        for _, tag in product.tags do
                      ^^^^^^^^^^^^
    Hint: write _, tag in ipairs(product.tags)
    With it:
    |     for _, tag in ipairs(product.tags) do

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for brand in { "Acme", "Birch" } do
      if product.brand == brand then n = n + 1 end
    end
    return n
  end,
}

=== says
scripts/a.lua:4:18  a loop goes over a list with ipairs
        for brand in { "Acme", "Birch" } do
                     ^^^^^^^^^^^^^^^^^^^
    Hint: write _, brand in ipairs({ "Acme", "Birch" })
    With it:
    |     for _, brand in ipairs({ "Acme", "Birch" }) do
