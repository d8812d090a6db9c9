-- expect: failed
-- says: unknown name 'getmetatable'
getmetatable("").__index.upper = nil
