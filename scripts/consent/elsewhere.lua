-- SPDX-License-Identifier: Apache-2.0

-- What people must agree to; look up what the law of your country asks for:
-- docs/guide/consent.md. "opt-in" needs a yes, "double opt-in" one with a
-- confirmed address, "opt-out" holds until somebody says no; "elsewhere" is the
-- rest of the world. Events of who did not allow analytics are counted for the
-- day and not kept: their answers say "withheld".
consent {
  analytics       = { EU = "opt-in", US = "opt-out", elsewhere = "opt-in" },
  personalization = { EU = "opt-in", US = "opt-out", elsewhere = "opt-in" },
  email_marketing = { EU = "double opt-in", US = "opt-out", elsewhere = "opt-in" },
  sms_marketing   = "opt-in",
  -- read as nil by every rule:
  -- never_use    = { "traits.religion", "category.intimate" },
}
