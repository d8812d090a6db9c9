=== scripts/a.lua
ranking "r" {
  score = function(product, customer, page)
    return when(page.url:is("c:\data"), 1)
  end,
}

=== says
scripts/a.lua:3:32  a \ in a text begins a special sign, and this is none
        return when(page.url:is("c:\data"), 1)
                                   ^^
    Hint: write \\ for one \
