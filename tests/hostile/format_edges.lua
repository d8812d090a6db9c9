-- expect: ok
-- Vector: Plain find, big rep, upper, ..
-- Conversions nobody has.
for _, s in ipairs({"%", "%-", "%n", "%hn", "%*d", "%1$d", "%ls", "%.100f", "%100d", "%-+ #0-d", "%%%", "%.f", "%.99f", "%99.99f"}) do
  for _, v in ipairs({1, -1.5, "x", math.huge, 1e308, math.mininteger}) do pcall(string.format, s, v) end
end
