=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    local min = 3
    return product.affinity * min
  end,
}

=== says
scripts/a.lua:3:11  warning: "min" is a word of the language: from here on it is only this local
        local min = 3
              ^^^
    Hint: choose another name: my_min

=== scripts/a.lua
local function rail(x) return x end
ranking "r" {
  score = function(product, customer)
    return rail(product.affinity)
  end,
}

=== says
scripts/a.lua:1:16  warning: "rail" is a word of the language: from here on it is only this function
    local function rail(x) return x end
                   ^^^^
    Hint: choose another name: my_rail
