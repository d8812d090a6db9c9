-- SPDX-License-Identifier: Apache-2.0
--
-- "For you": the list of the start page. It follows this person's taste; whom
-- the shop does not know yet sees what everyone buys. What people say they like
-- (docs/guide/first-hour.md) is in product.affinity from the first moment.

ranking "for_you" {
  score = function(product, customer)
    local mine     = 0.70 * product.affinity
    local everyone = 0.20 * product.popularity + 0.10 * product.trending

    -- Seen without interest, or in the cupboard already: not again so soon.
    local enough = 0.20 * product.seen + 0.20 * min(product.bought, 1)

    -- Who said "not this brand" or "no rugs" gets it last, however well it sells.
    local said    = customer.traits.dislikes
    local refused = when(any(product.brand:one_of(said.brand), product.category:one_of(said.category)), 1)

    return mine + everyone - enough - refused
  end,

  -- A start page shows what the shop has: three of one category, then another.
  diversify = { by = "category", at_most = 3, within = 8 },
}
