-- expect: failed
-- says: unknown name 'getmetatable'
-- Vector: String metatable
getmetatable("").__index.upper = nil
