=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.brand == { "Acme", "Birch" } then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:8  product.brand is one value and never a list
        if product.brand == { "Acme", "Birch" } then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write :one_of({ "Acme", "Birch" })
    With it:
    |     if product.brand:one_of({ "Acme", "Birch" }) then return 1 end
