-- SPDX-License-Identifier: Apache-2.0

-- What people must agree to, for a shop in the United States: docs/guide/consent.md.
-- "opt-out" holds until somebody says no (Sec-GPC: 1 is a no to personalization
-- and sale), "opt-in" needs a yes, "double opt-in" one with a confirmed address;
-- "elsewhere" is the rest of the world.
-- A visitor whose country nobody knows is treated by the strictest of them: send
-- the country with the events, "context":{"location":{"country":"US"}}. Events of
-- who did not allow analytics are counted for the day: answers say "withheld".
consent {
  analytics       = { EU = "opt-in", US = "opt-out", elsewhere = "opt-out" },
  personalization = { EU = "opt-in", US = "opt-out", elsewhere = "opt-out" },
  email_marketing = { EU = "double opt-in", US = "opt-out", elsewhere = "opt-in" },
  sms_marketing   = "opt-in",
  -- read as nil by every rule:
  -- never_use    = { "traits.religion", "category.intimate" },
}
