-- expect: failed
-- Vector: Error objects
-- An error that is not text for people.
error("\xff\xfe\0\x80")
