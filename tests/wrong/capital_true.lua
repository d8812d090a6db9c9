=== scripts/a.lua
segment "known" {
  when = function(customer) return customer.is_known == True end,
}

=== says
scripts/a.lua:2:57  'True' is not known here: it is written true
      when = function(customer) return customer.is_known == True end,
                                                            ^^^^
    Hint: write true
    With it:
    |   when = function(customer) return customer.is_known == true end,

=== scripts/a.lua
segment "nobody" {
  when = function(customer) return FALSE end,
}

=== says
scripts/a.lua:2:36  'FALSE' is not known here: it is written false
      when = function(customer) return FALSE end,
                                       ^^^^^
    Hint: write false
    With it:
    |   when = function(customer) return false end,
