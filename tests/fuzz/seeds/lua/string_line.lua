return "abc
"