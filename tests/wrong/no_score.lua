=== scripts/a.lua
ranking "r" {
  explore = "5%",
}

=== says
scripts/a.lua:1:9  ranking "r" needs score = function(product, customer, page) return … end
    ranking "r" {
            ^^^
