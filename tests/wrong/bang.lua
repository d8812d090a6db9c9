=== scripts/a.lua
segment "new" {
  when = function(customer) return !customer.has_ordered end,
}

=== says
scripts/a.lua:2:36  "!" is not known here: the word for it is not
      when = function(customer) return !customer.has_ordered end,
                                       ^
    Hint: write not
    With it:
    |   when = function(customer) return not customer.has_ordered end,
