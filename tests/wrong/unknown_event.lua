=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return customer:count("order_compleated") + product.affinity
  end,
}

=== says
scripts/a.lua:3:27  there is no event "order_compleated" — did you mean "order_completed"?
        return customer:count("order_compleated") + product.affinity
                              ^^^^^^^^^^^^^^^^^^
