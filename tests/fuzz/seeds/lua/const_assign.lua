local a <close> = nil
function g() a = 1 end