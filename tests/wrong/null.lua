=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.rating == null then return 0 end
    return product.rating
  end,
}

=== says
scripts/a.lua:3:26  'null' is not known here: it is written nil
        if product.rating == null then return 0 end
                             ^^^^
    Hint: write nil
    With it:
    |     if product.rating == nil then return 0 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.rating == None then return 0 end
    return product.rating
  end,
}

=== says
scripts/a.lua:3:26  'None' is not known here: it is written nil
        if product.rating == None then return 0 end
                             ^^^^
    Hint: write nil
    With it:
    |     if product.rating == nil then return 0 end

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.rating ~= undefined then return 1 end
    return 0
  end,
}

=== says
scripts/a.lua:3:26  'undefined' is not known here: it is written nil
        if product.rating ~= undefined then return 1 end
                             ^^^^^^^^^
    Hint: write nil
    With it:
    |     if product.rating ~= nil then return 1 end
