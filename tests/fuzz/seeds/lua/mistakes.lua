x += 1
if a != b then end
