=== scripts/a.lua
segment "known" {
  when = function(customer) return customer.is_known == "true" end,
}

=== says
scripts/a.lua:2:36  customer.is_known is yes or no and never a text: this is always no
      when = function(customer) return customer.is_known == "true" end,
                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write true
    With it:
    |   when = function(customer) return customer.is_known == true end,

=== scripts/a.lua
segment "known" {
  when = function(customer) return customer.is_known == 1 end,
}

=== says
scripts/a.lua:2:36  customer.is_known is yes or no and never a number: this is always no
      when = function(customer) return customer.is_known == 1 end,
                                       ^^^^^^^^^^^^^^^^^^^^^^
    Hint: write true
    With it:
    |   when = function(customer) return customer.is_known == true end,

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.vegan == "yes" then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:8  product.vegan is yes or no and never a text: this is always no
        if product.vegan == "yes" then return 1 end
           ^^^^^^^^^^^^^^^^^^^^^^
    Hint: write true
    With it:
    |     if product.vegan == true then return 1 end
