=== scripts/a.lua
def half(x)
  return x / 2
end
ranking "r" {
  score = function(product, customer)
    return half(product.affinity)
  end,
}

=== says
scripts/a.lua:1:1  "def" is not known here: it is written function
    def half(x)
    ^^^
    Hint: write function
    With it:
    | function half(x)

=== scripts/a.lua
func half(x)
  return x / 2
end
ranking "r" {
  score = function(product, customer)
    return half(product.affinity)
  end,
}

=== says
scripts/a.lua:1:1  "func" is not known here: it is written function
    func half(x)
    ^^^^
    Hint: write function
    With it:
    | function half(x)
