=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local score = product.affinity
    score += 0.2
    return score
  end,
}

=== says
scripts/a.lua:4:5  there is no short form like += here
        score += 0.2
        ^^^^^^^^^^^^
    Hint: write score = score + 0.2
    With it:
    |     score = score + 0.2

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local score = product.affinity
    score *= 1 + product.margin
    return score
  end,
}

=== says
scripts/a.lua:4:5  there is no short form like *= here
        score *= 1 + product.margin
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    Hint: write score = score * (1 + product.margin)
    With it:
    |     score = score * (1 + product.margin)

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local name = "a"
    name ..= "b"
    return when(product.brand:is(name), 1)
  end,
}

=== says
scripts/a.lua:4:5  there is no short form like ..= here
        name ..= "b"
        ^^^^^^^^^^^^
    Hint: write name = name .. "b"
    With it:
    |     name = name .. "b"
