-- expect: ok
-- Vector: require and package
-- No way to a library by its loader, nor to what other scripts loaded.
for _, name in ipairs({"require", "package", "module", "loadlib", "searchers"}) do
  assert(not pcall(function() return _ENV[name] end), name)
end
for _, library in ipairs({string, table, math, utf8}) do
  assert(not pcall(function() return library.loaded end))
  assert(not pcall(function() return library._G end))
end
