-- SPDX-License-Identifier: Apache-2.0
--
-- On collection pages what we are clearing out comes after everything else.
-- Other lists are left alone: whoever loves a brand may find the bargain there.

rail "bury clearance" {
  on   = "collection",
  bury = function(product) return product.tags:contains "clearance" end,
}
