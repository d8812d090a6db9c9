-- SPDX-License-Identifier: Apache-2.0
--
-- The winter campaign: three coats hold fixed places on the jackets page. Both
-- days are included, in the shop's time zone; a coat that sells out gives up
-- its place by itself.

rail "winter launch" {
  on   = "collection/jackets",
  pin  = { "OUT-0004", "OUT-0022", [5] = "OUT-0029" },   -- down parka, storm parka; fifth: the pea coat
  from = "2026-11-15",
  to   = "2026-12-24",
}
