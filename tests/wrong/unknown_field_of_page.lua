=== scripts/a.lua
ranking "r" {
  score = function(product, customer, page)
    return when(page.categorie == "sofas", product.affinity)
  end,
}

=== says
scripts/a.lua:3:22  page has no field "categorie" — did you mean "category"?
        return when(page.categorie == "sofas", product.affinity)
                         ^^^^^^^^^
