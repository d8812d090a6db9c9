=== scripts/a.lua
when = 3

=== says
scripts/a.lua:1:1  'when' is a word of the language and cannot be set
    when = 3
    ^^^^
    Hint: choose another name: local my_when = …

=== scripts/a.lua
ranking = "r"

=== says
scripts/a.lua:1:1  'ranking' is a word of the language and cannot be set
    ranking = "r"
    ^^^^^^^
    Hint: to declare one write ranking "name" { … }
