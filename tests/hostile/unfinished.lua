-- expect: failed
-- A file that ends in the middle.
local s = [==[ never closed
