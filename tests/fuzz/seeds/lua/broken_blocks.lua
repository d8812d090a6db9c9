local function f(a b, c)
  if a != b then x += 1 end
  if a {
    b()
  } 
  for i = 1 to 3 do b() end
  for i = 1, 3 { b() }
  for (k, v) in pairs(t) do c(k) end
  while a && b do break end
  repeat
    a()
  end
  repeat b() until
  if a b() else c() end
  else a()
  return a
  b()
end end
local function g() { return 1 }
function (a) return a end
f(1, function() return 2, )
x = f(a, function() b() , c)
x = 1 ! 2 local y = 3
x = (1 + * 2; y = f(a b) + t[1
do until x
a.b:c = goto 1
