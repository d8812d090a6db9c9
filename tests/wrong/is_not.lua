=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.brand is not "Acme" then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:22  "is not" is written ~= between two values
        if product.brand is not "Acme" then return 1 end
                         ^^^^^^
    Hint: write ~=
    With it:
    |     if product.brand ~= "Acme" then return 1 end
