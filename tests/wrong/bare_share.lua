=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,
  explore = 5,
}

=== says
scripts/a.lua:3:13  explore = 5: 5 what? write "5%"
      explore = 5,
                ^
    Hint: write "5%"
    With it:
    |   explore = "5%",
