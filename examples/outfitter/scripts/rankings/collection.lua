-- SPDX-License-Identifier: Apache-2.0
--
-- The order of every collection page. Each number says how much one thing
-- counts: move one, save the file, and the next page shows it.

ranking "collection" {
  score = function(product)
    local fit   = 0.40 * product.affinity + 0.20 * product.taste     -- what this person likes
    local proof = 0.20 * product.popularity + 0.10 * product.conversion
                + 0.10 * product.rating:or_else(3.5) / 5             -- not rated yet: a fair 3.5
    local fresh = when(product.age:below "14d", 0.10) + 0.05 * product.trending
    local earn  = 0.05 * product.margin - 0.05 * product.discount    -- of two equals, the one at full price
    return fit + proof + fresh + earn - 0.30 * product.seen          -- shown often, never opened: lower
  end,

  -- Never a wall of one brand: at most two of any eight neighbours.
  diversify = { by = "brand", at_most = 2, within = 8 },

  -- One place in twenty goes to a product that few have seen yet.
  explore = "5%",
}
