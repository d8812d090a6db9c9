-- expect: stopped
-- Vector: table.sort
-- A comparator that does not come back.
table.sort({2, 1}, function() while true do end end)
