=== scripts/a.lua
ranking "r" {
  score = function(product)
    return product.affinity
  ,
}

=== says
scripts/a.lua:3:20  something before this has no "end"
        return product.affinity
                       ^^^^^^^^
    Hint: write end where it is over
    With it:
    |     return product.affinity end

=== scripts/a.lua
ranking "r" {
  score = function(product)
    if product.price > 100 then return 0
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:40  the if of this line has no "end"
        if product.price > 100 then return 0
                                           ^
    Hint: write end where it is over
    With it:
    |     if product.price > 100 then return 0 end

=== scripts/a.lua
segment "known" {
  when = function(customer) return customer.is_known,
}

=== says
scripts/a.lua:2:45  something before this has no "end"
      when = function(customer) return customer.is_known,
                                                ^^^^^^^^
    Hint: write end where it is over
    With it:
    |   when = function(customer) return customer.is_known end,
