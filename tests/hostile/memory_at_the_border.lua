-- expect: memory stopped
-- Vector: Out of memory in the host
-- Fills what there is, then makes each library function the one that finds nothing left.
local kept, n = {}, 0
local function fill(size)
  while true do n = n + 1 kept[n] = ("x"):rep(size) .. n end
end
for _, f in ipairs({function() return table.concat(kept) end, function() return ("x"):rep(1 << 19) end,
                    function() return ("a"):rep(1 << 17):gsub("a", "bb") end, function() return {table.unpack(kept, 1, 1000)} end,
                    function() return string.format("%s%s", kept[1], kept[2]) end, function() table.sort(kept) end,
                    function() print(kept[1]) end, function() error(kept) end, function() fill(1 << 10) end}) do
  pcall(f)
  pcall(fill, 1 << 18)
end
