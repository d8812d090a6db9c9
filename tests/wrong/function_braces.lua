=== scripts/a.lua
ranking "r" {
  score = function(product) {
    return product.affinity
  },
}

=== says
scripts/a.lua:2:29  braces hold fields: what is to be done stands between words, up to end
      score = function(product) {
                                ^
    Hint: write function(…) … end
    With it:
    |     return product.affinity
    |   end,
