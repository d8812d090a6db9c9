=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity * customer.order.count
  end,
}

=== says
scripts/a.lua:3:40  customer has no field "order" — did you mean "orders"?
        return product.affinity * customer.order.count
                                           ^^^^^

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity * customer.orders.cuont
  end,
}

=== says
scripts/a.lua:3:47  customer.orders has no field "cuont" — did you mean "count"?
        return product.affinity * customer.orders.cuont
                                                  ^^^^^
