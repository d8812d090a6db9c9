-- expect: failed
-- Vector: Parser
-- A file that ends in the middle.
local s = [==[ never closed
