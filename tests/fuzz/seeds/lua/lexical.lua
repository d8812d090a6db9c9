return 0x.8p1, 0xA, 1e3, .5, 3., 0xffffffffffffffffff, '\65\x41\u{41}\z  
 x', "\
", [[
]], [==[ ]=] ]==] -- c
--[==[ long ]] ]==]
