=== scripts/a.lua
segment "lapsing" {
  when = function(customer) return customer.orders.since_last > "30d" end,
}

=== says
scripts/a.lua:2:36  customer.orders.since_last is a time: it has no order with a text
      when = function(customer) return customer.orders.since_last > "30d" end,
                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write days(30)
    With it:
    |   when = function(customer) return customer.orders.since_last > days(30) end,

=== scripts/a.lua
segment "lapsing" {
  when = function(customer) return customer.orders.since_last > "1h30m" end,
}

=== says
scripts/a.lua:2:36  customer.orders.since_last is a time: it has no order with a text
      when = function(customer) return customer.orders.since_last > "1h30m" end,
                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write hours(1) + minutes(30)
    With it:
    |   when = function(customer) return customer.orders.since_last > hours(1) + minutes(30) end,
