=== scripts/a.lua
ranking "r" {
  score = function(product, customer)
    wait "1h"
    return product.affinity
  end,
}

=== says
scripts/a.lua:3:5  "wait" is a step of a flow: a rule answers at once
        wait "1h"
        ^^^^
    Hint: put it into the run of a flow

=== scripts/a.lua
wait "1h"

=== says
scripts/a.lua:1:1  "wait" is a step of a flow: here it stands outside of one
    wait "1h"
    ^^^^
    Hint: put it into the run of a flow
