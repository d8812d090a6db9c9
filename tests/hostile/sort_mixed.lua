-- expect: failed
-- Vector: table.sort
-- Numbers and texts have no order.
table.sort({1, "a", 2, "b"})
