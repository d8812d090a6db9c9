-- SPDX-License-Identifier: Apache-2.0
--
-- The order of a collection page. Each number says how much one thing counts:
-- move one, save the file, and the next page shows it. Every feature goes from
-- 0 to 1, so of two numbers the larger one wins.

ranking "collection" {
  score = function(product, customer)
    -- What this person likes counts most: it is the one thing only they can tell.
    local fit = 0.50 * product.affinity

    -- What everyone buys: all that is known of a visitor who is new here.
    local proof = 0.20 * product.popularity + 0.10 * product.trending
                + 0.10 * product.rating:or_else(3.5) / 5          -- not rated yet: a fair 3.5

    -- Who is about to buy gets what does not only look good, but sells.
    if customer.session.intent == "buy" then
      proof = proof + 0.15 * product.conversion
    end

    -- What came lately has had no time to be bought: a head start of two weeks.
    local fresh = when(product.age:below "14d", 0.10)

    -- Shown often and never opened: make room for something else.
    return fit + proof + fresh - 0.30 * product.seen
  end,

  -- Never a wall of one brand: at most two of any eight neighbours.
  diversify = { by = "brand", at_most = 2, within = 8 },

  -- One place in twenty goes to a product that few have seen yet.
  explore = "5%",
}
