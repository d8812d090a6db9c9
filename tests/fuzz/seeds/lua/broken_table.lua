ranking "a" {
  title = "x
  by: "brand", limit 7d,
  score function(p) return p end
  first = function(p) if p then return 1 end end
    return p, 2
  end,
  [1 = 2, [b] 3, {1, 2 3 4, x => 4},
  tags = { a = 1, b = 2
  explore = "5%" % ,
  f = { 1, return; local x, end }, ) ,
  g = g g = 1; h i j k,
}
