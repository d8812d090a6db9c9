=== scripts/a.lua
ranking collection {
  score = function(product) return product.affinity end,
}

=== says
scripts/a.lua:1:9  the name of a declaration stands in quotes
    ranking collection {
            ^^^^^^^^^^
    Hint: write "collection"
    With it:
    | ranking "collection" {
