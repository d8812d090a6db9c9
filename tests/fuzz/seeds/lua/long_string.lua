local a = [==[
one
two]==] --[[ a
b ]] return a
