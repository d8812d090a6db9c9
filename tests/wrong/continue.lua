=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local n = 0
    for i = 1, 3 do
      if i == 2 then continue end
      n = n + i
    end
    return n * product.affinity
  end,
}

=== says
scripts/a.lua:5:22  there is no continue here
          if i == 2 then continue end
                         ^^^^^^^^
    Hint: turn the condition around: if i ~= 2 then … end
