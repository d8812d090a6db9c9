=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if customer.is_known || customer.is_returning then
      return 1
    end
    return 0
  end,
}

=== says
scripts/a.lua:3:26  "||" is not known here: the word for it is or
        if customer.is_known || customer.is_returning then
                             ^^
    Hint: write or
    With it:
    |     if customer.is_known or customer.is_returning then
