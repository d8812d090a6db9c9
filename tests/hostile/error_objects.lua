-- expect: failed
-- says: error object of type table
-- Vector: Error objects
-- An error that is no text.
error({message = {}, [1] = print})
