=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product:price / 100
  end,
}

=== says
scripts/a.lua:3:19  a dot reads, a colon asks: to read a field write a dot
        return product:price / 100
                      ^^^^^^
    Hint: write .price
    With it:
    |     return product.price / 100

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity + customer:orders.count
  end,
}

=== says
scripts/a.lua:3:39  a dot reads, a colon asks: to read a field write a dot
        return product.affinity + customer:orders.count
                                          ^^^^^^^
    Hint: write .orders
    With it:
    |     return product.affinity + customer.orders.count

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return math:floor(product.price)
  end,
}

=== says
scripts/a.lua:3:12  what is in math is called with a dot
        return math:floor(product.price)
               ^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write math.floor
    With it:
    |     return math.floor(product.price)
