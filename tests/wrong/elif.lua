=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price > 100 then
      return 0
    elif product.price > 50 then
      return 1
    end
    return 2
  end,
}

=== says
scripts/a.lua:5:5  "elif" is not known here: it is written elseif
        elif product.price > 50 then
        ^^^^
    Hint: write elseif
    With it:
    |     elseif product.price > 50 then

=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    if product.price > 100 then
      return 0
    elsif product.price > 50 then
      return 1
    end
    return 2
  end,
}

=== says
scripts/a.lua:5:5  "elsif" is not known here: it is written elseif
        elsif product.price > 50 then
        ^^^^^
    Hint: write elseif
    With it:
    |     elseif product.price > 50 then
