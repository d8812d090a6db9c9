-- SPDX-License-Identifier: Apache-2.0
--
-- What must stay true of every list, whatever we change in the scores. The
-- products are in fixtures/catalog.jsonl: the parts of our catalog that
-- have ever gone wrong.

test "nothing sold out is ever shown" {
  run = function(world)
    for _, product in ipairs(world:rank("collection", { where = { category = "jackets" } })) do
      expect(product.stock):above(0)
    end
  end,
}

test "never a wall of one brand" {
  run = function(world)
    expect(world:rank("collection")):keeps { by = "brand", at_most = 2, within = 8 }
  end,
}

test "clearance comes last on a collection page, and only there" {
  given = { customer = { affinity = { brand = { ["Fell & Fathom"] = 0.9 } } } },
  run = function(world)
    local page = world:rank("collection", { page = "collection/jackets", where = { category = "jackets" } })
    expect(page[#page].tags):contains "clearance"
    expect(world:rank("for_you")[1].tags):contains "clearance"
  end,
}

test "the winter launch is pinned while it lasts" {
  at  = "2026-12-24 23:30",
  run = function(world)
    local ask = { page = "collection/jackets", where = { category = "jackets" } }
    expect(world:rank("collection", ask)[1]):is "OUT-0004"
    expect(world:rank("collection", ask)[2]):is "OUT-0022"
    world:wait "1h"                                     -- both days are included, and it is the 25th now
    expect(world:rank("collection", ask)[1]):is_not "OUT-0004"
  end,
}

test "who looks at one brand gets more of it" {
  run = function(world)
    local before = world:rank("for_you")[1]
    for _ = 1, 5 do world:event("product_viewed", { product_id = "OUT-0101" }) end
    expect(before.brand):is_not "Kestrel Works"
    expect(world:rank("for_you")[1].brand):is "Kestrel Works"
  end,
}

test "what came this month and fits comes first in new for you" {
  given = {
    customer = { affinity = { brand = { Acme = 0.8 } } },
    products = {
      { id = "old", brand = "Acme",  stock = 5, age = "90d", popularity = 0.9 },
      { id = "new", brand = "Acme",  stock = 5, age = "3d",  popularity = 0.1 },
      { id = "no",  brand = "Birch", stock = 5, age = "3d",  popularity = 0.9 },
    },
  },
  run = function(world)
    expect(world:rank("new_for_you")):is { "new", "old", "no" }
  end,
}

test "a list stays cheap" {
  run = function(world)
    expect(world:cost("collection")):below(2000)
  end,
}
