f{
{ a b c,
  d = 
}
local q = f(
  1,
local r
x = "abc