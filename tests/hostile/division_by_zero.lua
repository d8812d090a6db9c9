-- expect: failed
-- Whole numbers have no infinity.
return 1 // 0
