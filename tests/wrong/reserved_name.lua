=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.end
  end,
}

=== says
scripts/a.lua:3:20  "end" is a word of Lua and cannot be a name
        return product.end
                       ^^^
    Hint: write ["end"]
    With it:
    |     return product["end"]

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local end = product.affinity
    return 1
  end,
}

=== says
scripts/a.lua:3:11  "end" is a word of Lua and cannot be a name
        local end = product.affinity
              ^^^
    Hint: choose another name
