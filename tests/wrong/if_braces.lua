=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if (product.price > 100) {
      return 0
    }
    return 1
  end,
}

=== says
scripts/a.lua:3:30  braces hold fields: what is to be done stands between words, up to end
        if (product.price > 100) {
                                 ^
    Hint: write then … end
    With it:
    |     if (product.price > 100) then
    |       return 0
    |     end
