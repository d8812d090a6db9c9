=== scripts/a.lua
ranking "r" {
  score = 5,
}

=== says
scripts/a.lua:2:11  ranking.score must be a function, like function(product) return … end
      score = 5,
              ^
