-- expect: failed
-- Vector: goto, integer division and the end of numbers
-- Whole numbers have no infinity.
return 1 // 0
