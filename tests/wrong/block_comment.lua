=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    /* what this person likes */
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:5  /* does not begin a comment here: --[[ does
        /* what this person likes */
        ^^
    Hint: write --[[ … ]]
    With it:
    |     --[[ what this person likes ]]
