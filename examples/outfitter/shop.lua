-- SPDX-License-Identifier: Apache-2.0
--
-- The outfitter: clothing, camping and home. Read once at start; the rules are
-- in scripts/ and may change while the shop is open.

shop "outfitter" { currency = "EUR", timezone = "Europe/Berlin", country = "DE", locale = "en" }

-- Enable before anyone but this machine can reach the server: without keys it
-- listens on loopback only and treats every local caller as the owner.
-- keys { write = env "ATTUNE_WRITE_KEY", secret = env "ATTUNE_SECRET_KEY" }

-- No attributes { … } block is needed: price, rating, released and tags are known
-- to every shop, and the catalog brings color, material and season by itself.
