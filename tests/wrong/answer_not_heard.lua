=== scripts/a.lua
segment "spender" {
  when = function(customer)
    if customer.is_known then return true end
    customer.orders.revenue:above(500)
  end,
}

=== says
scripts/a.lua:4:5  this asks, and nobody hears the answer
        customer.orders.revenue:above(500)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write return before it
    With it:
    |     return customer.orders.revenue:above(500)
