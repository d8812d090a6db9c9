-- SPDX-License-Identifier: Apache-2.0
--
-- Tests say what must stay true, whatever you change. attune test runs them,
-- and so does every save: while one fails, the scripts from before serve on.
-- Their products are in fixtures/catalog.jsonl: a few, each for a reason.

local lamps = { where = { category = "lamps" } }
local rugs  = { page = "collection/rugs", where = { category = "rugs" } }

test "what is sold out is not shown, what is made to order is" {
  run = function(world)
    expect(world:rank("collection", lamps)):lacks "lamp-gone"
    expect(world:rank("collection", lamps)):contains "lamp-made"
    expect(world:rank("for_you")):lacks "lamp-gone"
  end,
}

test "a new visitor sees what everyone buys" {
  given = { customer = { is_known = false } },
  run = function(world)
    expect(world:rank("collection")[1]):is "lamp-oak"
    expect(world:rank("for_you")[1]):is "lamp-oak"
  end,
}

test "who likes a brand sees it first" {
  given = { customer = { affinity = { brand = { Birch = 0.8 } } } },
  run = function(world)
    expect(world:rank("collection")[1].brand):is "Birch"
    expect(world:rank("for_you")[1].brand):is "Birch"
  end,
}

test "who is about to buy sees what sells" {
  run = function(world)
    expect(world:rank("collection", lamps)[1]):is "lamp-oak"
    world:event("product_added", { product_id = "rug-wool" })
    expect(world:rank("collection", lamps)[1]):is "lamp-brass"
  end,
}

test "never a wall of one brand" {
  run = function(world)
    expect(world:rank("collection")):keeps { by = "brand", at_most = 2, within = 4 }
  end,
}

test "clearance comes last on its page, and only there" {
  run = function(world)
    expect(world:rank("collection", rugs)):is { "rug-wool", "rug-sale" }
    expect(world:rank("for_you", { where = { category = "rugs" } })):is { "rug-sale", "rug-wool" }
  end,
}

test "what somebody said they dislike comes last" {
  given = { customer = { traits = { dislikes = { brand = { "Acme" }, category = { "rugs" } } } } },
  run = function(world)
    local list = world:rank("for_you")
    expect(list[1]):is "lamp-brass"
    expect(list[2]):is "lamp-made"
  end,
}

test "who has one is not shown it first again" {
  run = function(world)
    world:event("order_completed", { order_id = "1", products = { { product_id = "lamp-oak", price = 59 } } })
    expect(world:rank("for_you")[1]):is "lamp-ash"
  end,
}

test "what came lately gets a head start" {
  given = {
    products = {
      { id = "old", stock = 1, age = "90d", popularity = 0.2 },
      { id = "new", stock = 1, age = "3d" },
    },
  },
  run = function(world)
    expect(world:rank("collection")):is { "new", "old" }
  end,
}
