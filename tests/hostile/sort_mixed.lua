-- expect: failed
-- Numbers and texts have no order.
table.sort({1, "a", 2, "b"})
