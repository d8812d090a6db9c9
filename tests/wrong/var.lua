=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    var fit = product.affinity
    return fit
  end,
}

=== says
scripts/a.lua:3:5  "var" is not known here: it is written local
        var fit = product.affinity
        ^^^
    Hint: write local
    With it:
    |     local fit = product.affinity

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    let fit = product.affinity
    return fit
  end,
}

=== says
scripts/a.lua:3:5  "let" is not known here: it is written local
        let fit = product.affinity
        ^^^
    Hint: write local
    With it:
    |     local fit = product.affinity

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    const fit = product.affinity
    return fit
  end,
}

=== says
scripts/a.lua:3:5  "const" is not known here: it is written local
        const fit = product.affinity
        ^^^^^
    Hint: write local
    With it:
    |     local fit = product.affinity
