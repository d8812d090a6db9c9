-- SPDX-License-Identifier: Apache-2.0
--
-- Who belongs to which segment. Orders that a test gives are thirty days apart.

test "new is who ordered first, for a month" {
  run = function(world)
    expect(world.customer:in_segment "new"):is(false)
    world:event("order_completed", { order_id = "1", revenue = 40 })
    expect(world.customer:in_segment "new"):is(true)
    world:wait "30d"
    expect(world.customer:in_segment "new"):is(false)
  end,
}

test "who orders every month is active, and lapses after six weeks" {
  given = { customer = { orders = { count = 3, since_last = "30d" } } },
  run = function(world)
    expect(world.customer:in_segment "active"):is(true)
    world:wait "16d"
    expect(world.customer:in_segment "active"):is(false)
    expect(world.customer:in_segment "lapsing"):is(true)
    world:event("order_completed", { order_id = "back", revenue = 40 })
    expect(world.customer:in_segment "lapsing"):is(false)
  end,
}

test "one order says nothing of a rhythm: the usual one counts" {
  given = { customer = { orders = { count = 1, since_last = "130d" } } },
  run = function(world)
    expect(world.customer:in_segment "active"):is(true)
    expect(world.customer:in_segment "lapsing"):is(false)
    world:wait "6d"
    expect(world.customer:in_segment "active"):is(false)
    expect(world.customer:in_segment "lapsing"):is(true)
  end,
}

test "a vip orders often" {
  given = { customer = { orders = { count = 5, revenue = 200 } } },
  run = function(world) expect(world.customer:in_segment "vip"):is(true) end,
}

test "or a vip spends much" {
  given = { customer = { orders = { count = 1, revenue = 999 } } },
  run = function(world)
    expect(world.customer:in_segment "vip"):is(false)
    world:event("order_completed", { order_id = "last", revenue = 1 })
    expect(world.customer:in_segment "vip"):is(true)
  end,
}
