-- SPDX-License-Identifier: Apache-2.0
--
-- The settings of the shop: read when the server starts. The rules are in
-- scripts/ and may change while the shop is open.

shop "my-shop" { currency = "EUR", timezone = "UTC" }

-- Without keys the server listens on this machine only and treats every local
-- caller as the owner. Take the dashes away before others can reach it:
-- keys { write = env "ATTUNE_WRITE_KEY", secret = env "ATTUNE_SECRET_KEY" }
