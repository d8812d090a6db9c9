-- expect: stopped
-- Vector: xpcall handler
-- Stock Lua runs a message handler with hooks off: a loop there never ends.
while true do
  xpcall(error, function() while true do end end)
end
