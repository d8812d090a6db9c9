=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local label = "a" + "b"
    return when(product.brand:is(label), 1)
  end,
}

=== says
scripts/a.lua:3:19  texts are joined by .., not by +
        local label = "a" + "b"
                      ^^^^^^^^^
    Hint: write ..
    With it:
    |     local label = "a" .. "b"

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity + "2"
  end,
}

=== says
scripts/a.lua:3:31  a text cannot be calculated with, though it says a number
        return product.affinity + "2"
                                  ^^^
    Hint: write 2
    With it:
    |     return product.affinity + 2

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.brand * 2
  end,
}

=== says
scripts/a.lua:3:12  product.brand is a text and cannot be calculated with
        return product.brand * 2
               ^^^^^^^^^^^^^^^^^
    Hint: take it out
