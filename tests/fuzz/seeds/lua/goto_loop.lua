for i = 1, 3 do for j = 1, 2 do if i == j then goto continue end end ::continue:: end
do goto done end ::done::
