-- SPDX-License-Identifier: Apache-2.0
--
-- Tests say what must stay true, whatever you change. attune test runs them,
-- and so does every save: while one fails, the scripts from before serve on.
-- Their products are in fixtures/catalog.jsonl: a few, each for a reason.

test "what is sold out is not shown" {
  run = function(world)
    local list = world:rank("collection", { where = { category = "lamps" } })
    expect(#list):is(3)
    expect(list):lacks "lamp-gone"
  end,
}

test "who likes a brand sees it first" {
  given = { customer = { affinity = { brand = { Birch = 0.8 } } } },
  run = function(world)
    expect(world:rank("collection")[1].brand):is "Birch"
  end,
}

test "a new visitor sees what everyone buys" {
  given = { customer = { is_known = false } },
  run = function(world)
    expect(world:rank("collection")[1]):is "lamp-oak"
  end,
}
