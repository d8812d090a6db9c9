=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    return product.affinity
    end
  end,
}

=== says
scripts/a.lua:5:3  there is one "end" too many: nothing is open that it could close
      end,
      ^^^
    Hint: take it out
    With it:
    |   ,

=== scripts/a.lua
rail "in stock" { only = function(product) return product.stock:above(0) end end }

=== says
scripts/a.lua:1:78  there is one "end" too many: nothing is open that it could close
    rail "in stock" { only = function(product) return product.stock:above(0) end end }
                                                                                 ^^^
    Hint: take it out
    With it:
    | rail "in stock" { only = function(product) return product.stock:above(0) end  }

=== scripts/a.lua
rail "launch" { on = "sofas", pin = { "SKU-1" } }}

=== says
scripts/a.lua:1:50  there is one "}" too many: nothing is open that it could close
    rail "launch" { on = "sofas", pin = { "SKU-1" } }}
                                                     ^
    Hint: take it out
    With it:
    | rail "launch" { on = "sofas", pin = { "SKU-1" } }
