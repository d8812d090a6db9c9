=== scripts/a.lua
rail "first" { on = "sofas", pin = ["SKU-1", "SKU-2"] }

=== says
scripts/a.lua:1:36  a list stands in braces
    rail "first" { on = "sofas", pin = ["SKU-1", "SKU-2"] }
                                       ^^^^^^^^^^^^^^^^^^
    Hint: write { … }
    With it:
    | rail "first" { on = "sofas", pin = { "SKU-1", "SKU-2" } }

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return when(product.brand:one_of(["Acme", "Birch"]), 1)
  end,
}

=== says
scripts/a.lua:3:38  a list stands in braces
        return when(product.brand:one_of(["Acme", "Birch"]), 1)
                                         ^^^^^^^^^^^^^^^^^
    Hint: write { … }
    With it:
    |     return when(product.brand:one_of({ "Acme", "Birch" }), 1)
