rail "x" { only = function(p)
    if p then
      return { a = 1 b = 2 end,
  hide = function p, q) x = do local y end return p end
  pin = { "a" "b", function() end 5, 
}
rail "y" { bury = function(p) return p.a:b end end, on = f(function() return a) end), }
local t = { a = { b = { c = 1,
d = 2 }
segment "z" { when = func(c)
    return c
  end }
}} ]
end
