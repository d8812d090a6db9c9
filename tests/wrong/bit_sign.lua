=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.stock > 0 & product.price < 100 then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:8  "&" calculates with the bits of numbers: conditions are joined by and
        if product.stock > 0 & product.price < 100 then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write and
    With it:
    |     if product.stock > 0 and product.price < 100 then return 1 end

=== scripts/a.lua
segment "known" {
  when = function(customer) return customer.is_known | customer.has_ordered end,
}

=== says
scripts/a.lua:2:36  "|" calculates with the bits of numbers: conditions are joined by or
      when = function(customer) return customer.is_known | customer.has_ordered end,
                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write or
    With it:
    |   when = function(customer) return customer.is_known or customer.has_ordered end,
