ranking "r" { first = function(p, c) return all(p.age:below "30d", c.affinity.brand[p.brand]:above(0.5)) end,
  score = function(p, c)
    local function dear(x) if x > 100 then return 1 else return 0 end end
    local t, n = { p.price, k = p.stock, [1] = 2 }, 0
    for i = 1, #p.tags do n = n + i end
    for _, tag in ipairs(p.tags) do if tag == "sale" then n = n + 1 end end
    while n > 3 do n = n - 1 end
    repeat local m = n until m == n or not p.vegan
    return dear(p.price) + (p.rating or 3.5) + n % 2 .. "x"
  end }
