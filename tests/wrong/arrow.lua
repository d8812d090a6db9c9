=== scripts/a.lua
ranking "r" {
  score = (product) => product.affinity,
}

=== says
scripts/a.lua:2:21  a function is not written with an arrow here
      score = (product) => product.affinity,
                        ^^
    Hint: write function(product) return … end
    With it:
    |   score = function(product) return product.affinity end,

=== scripts/a.lua
rail "in stock" { only = product => product.stock:above(0) }

=== says
scripts/a.lua:1:34  a function is not written with an arrow here
    rail "in stock" { only = product => product.stock:above(0) }
                                     ^^
    Hint: write function(product) return … end
    With it:
    | rail "in stock" { only = function(product) return product.stock:above(0) end }

=== scripts/a.lua
ranking "r" {
  score = function(product) => product.affinity,
}

=== says
scripts/a.lua:2:29  a function is not written with an arrow here
      score = function(product) => product.affinity,
                                ^^
    Hint: write function(product) return … end
    With it:
    |   score = function(product) return product.affinity end,
