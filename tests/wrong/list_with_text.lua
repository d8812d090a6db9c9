=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.tags == "sale" then return 0 end
    return 1
  end,
}

=== says
scripts/a.lua:3:8  product.tags is a list: it holds values, it is not one
        if product.tags == "sale" then return 0 end
           ^^^^^^^^^^^^^^^^^^^^^^
    Hint: write product.tags:contains("sale")
    With it:
    |     if product.tags:contains("sale") then return 0 end
