=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:11  an invisible sign stands here, likely from pasted text
        return product.affinity
              ^
    Hint: put a plain space there
    With it:
    |     return product.affinity

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity +​ 1
  end,
}

=== says
scripts/a.lua:3:30  an invisible sign stands here, likely from pasted text
        return product.affinity +​ 1
                                 ^
    Hint: put a plain space there
    With it:
    |     return product.affinity +  1
