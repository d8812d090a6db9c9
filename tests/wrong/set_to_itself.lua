=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local fit = product.affinity
    fit = fit
    return fit
  end,
}

=== says
scripts/a.lua:4:5  warning: fit is set to itself: this changes nothing
        fit = fit
        ^^^^^^^^^
    Hint: take it out, or set another value
