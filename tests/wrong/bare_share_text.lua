=== scripts/a.lua
ranking "r" {
  score = function(product) return product.affinity end,
  explore = 5%,
}

=== says
scripts/a.lua:3:13  a share stands in quotes
      explore = 5%,
                ^^
    Hint: write "5%"
    With it:
    |   explore = "5%",

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local part = 20%
    return part * product.affinity
  end,
}

=== says
scripts/a.lua:3:18  to calculate with, a share is a number from 0 to 1
        local part = 20%
                     ^^^
    Hint: write 0.2
    With it:
    |     local part = 0.2
