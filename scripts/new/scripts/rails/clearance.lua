-- SPDX-License-Identifier: Apache-2.0
--
-- On collection pages what is cleared out comes after everything else. It is not
-- hidden, and other lists are left alone: whoever loves a brand may find the
-- bargain there. Tag a product "clearance" in the catalog and it is one of them.

rail "clearance last" {
  on   = "collection",
  bury = function(product) return product.tags:contains "clearance" end,
}
