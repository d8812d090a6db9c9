=== scripts/a.lua
ranking "r" {
  score = function(product) product.affinity * 2 end,
}

=== says
scripts/a.lua:2:29  this value goes nowhere: a function answers with return
      score = function(product) product.affinity * 2 end,
                                ^^^^^^^^^^^^^^^^^^^^
    Hint: write return before it
    With it:
    |   score = function(product) return product.affinity * 2 end,

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    0.5 * product.affinity
  end,
}

=== says
scripts/a.lua:3:5  this value goes nowhere: a function answers with return
        0.5 * product.affinity
        ^^^^^^^^^^^^^^^^^^^^^^
    Hint: write return before it
    With it:
    |     return 0.5 * product.affinity

=== scripts/a.lua
rail "in stock" { only = function(product) product.stock:above(0) end }

=== says
scripts/a.lua:1:44  this asks, and nobody hears the answer
    rail "in stock" { only = function(product) product.stock:above(0) end }
                                               ^^^^^^^^^^^^^^^^^^^^^^
    Hint: write return before it
    With it:
    | rail "in stock" { only = function(product) return product.stock:above(0) end }
