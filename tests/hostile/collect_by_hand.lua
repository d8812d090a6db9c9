-- expect: failed
-- says: unknown name 'collectgarbage'
-- Vector: collectgarbage
-- A full collection a call takes longer than any budget.
while true do collectgarbage() end
