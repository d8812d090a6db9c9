=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local fit = product.affinity + 1
    print(fit)
  end,
}

=== says
scripts/a.lua:2:11  score answers nothing: there is no return with a value in it
      score = function(product, customer)
              ^^^^^^^^
    Hint: write return and the number

=== scripts/a.lua
rail "in stock" { only = function(product) if product.stock > 0 then return end end }

=== says
scripts/a.lua:1:26  only answers nothing: there is no return with a value in it
    rail "in stock" { only = function(product) if product.stock > 0 then return end end }
                             ^^^^^^^^
    Hint: write return and the condition
