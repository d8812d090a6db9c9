-- SPDX-License-Identifier: Apache-2.0
--
-- "For you": the list of the start page. It follows this person's taste in
-- brands, categories, colours and so on. Whom the shop does not know yet sees
-- what everyone buys: every personal term is 0 for them.

ranking "for_you" {
  score = function(product)
    local mine     = 0.60 * product.affinity + 0.20 * product.taste
    local everyone = 0.20 * product.popularity
    local enough   = 0.15 * product.seen + 0.05 * min(product.bought, 1)   -- seen too often; has one already
    return mine + everyone - enough
  end,
}

-- "New for you": what came this month and fits comes first, the rest follows.
ranking "new_for_you" {
  first = function(product)
    return all(product.age:below "30d", product.affinity:above(0.3))
  end,
  score = function(product)
    return 0.70 * product.affinity + 0.30 * product.popularity
  end,
}
