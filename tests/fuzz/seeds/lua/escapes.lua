return "\a\b\f\n\r\t\v\\\"\'\x41\65\065\u{41}\u{20AC}\u{1F600}\u{7FFFFFFF}\z   
  x\
y"