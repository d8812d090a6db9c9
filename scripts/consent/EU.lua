-- SPDX-License-Identifier: Apache-2.0

-- What people must agree to, for a shop in Europe: docs/guide/consent.md.
-- "opt-in" needs a yes, "double opt-in" one with a confirmed address,
-- "opt-out" holds until somebody says no; "elsewhere" is the rest of the world.
-- Events of who did not allow analytics are counted for the day and not kept:
-- their answers say "withheld". The yes comes with the events, as consent
-- banners send it: "context":{"consent":{"categoryPreferences":{"analytics":true}}}.
consent {
  analytics       = { EU = "opt-in", US = "opt-out", elsewhere = "opt-in" },
  personalization = { EU = "opt-in", US = "opt-out", elsewhere = "opt-in" },
  -- own_customers: who has bought may be written to about the like until they say no
  email_marketing = { EU = "double opt-in", US = "opt-out", elsewhere = "opt-in", own_customers = "opt-out" },
  sms_marketing   = "opt-in",
  -- read as nil by every rule:
  -- never_use    = { "traits.religion", "category.intimate" },
}
