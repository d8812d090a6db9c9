-- expect: ok
-- Vector: Time: inside C (patterns)
-- What is not a pattern is an error, never a read past its end.
for _, p in ipairs({"%", "[", "[^", "[a-", "[%", "%b", "%bx", "%f", "%fa", "(", ")", "()(", "%1", "(%1)", "[]", "[^]", "%g(",
                    ("("):rep(33), ("(a)"):rep(40), "a%", "[a-%", "[[:alpha:]", "%9", "(a)%2", ("."):rep(257)}) do
  assert(not pcall(string.gsub, "abc(a)", p, "%1") or true)
  pcall(string.find, "abc(a)", p) pcall(string.match, "", p) pcall(string.gmatch, "abc", p)
  for i = 1, 2 do pcall(function() for a in ("abc"):gmatch(p) do end end) end
end
