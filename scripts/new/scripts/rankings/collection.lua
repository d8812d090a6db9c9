-- SPDX-License-Identifier: Apache-2.0
--
-- The order of a collection page. Each number says how much one thing counts:
-- move one, save the file, and the next page shows it.

ranking "collection" {
  score = function(product)
    local fit   = 0.60 * product.affinity                             -- what this person likes
    local proof = 0.30 * product.popularity + 0.10 * product.trending -- what everyone buys
    return fit + proof - 0.20 * product.seen                          -- shown often, never opened: lower
  end,
}
