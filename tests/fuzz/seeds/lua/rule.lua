ranking "collection" {
  score = function(product, customer, page)
    local fit = 0.40 * product.affinity + 0.20 * product.taste
    local proof = 0.20 * product.popularity + 0.10 * product.rating / 5
    local fresh = when(product.age:below "14d", 0.10)
    if customer.session.intent == "buy" then
      proof = proof + 0.15 * product.conversion
    end
    return fit + proof + fresh - 0.30 * product.seen
  end,
  diversify = { by = "brand", at_most = 2, within = 8 },
  explore = "5%",
}
