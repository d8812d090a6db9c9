=== scripts/a.lua
ranking "r" {
  score = function(product)
    if customer.is_known then return 1 end
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:8  this function does not take 'customer'
        if customer.is_known then return 1 end
           ^^^^^^^^
    Hint: write function(product, customer)
    With it:
    |   score = function(product, customer)

=== scripts/a.lua
ranking "r" {
  score = function(product)
    return when(page.category == "sofas", product.affinity, 0)
  end,
}

=== says
scripts/a.lua:3:17  this function does not take 'page'
        return when(page.category == "sofas", product.affinity, 0)
                    ^^^^
    Hint: write function(product, customer, page)
    With it:
    |   score = function(product, customer, page)
