-- SPDX-License-Identifier: Apache-2.0
--
-- A rail holds whatever a ranking says: what is sold out is shown nowhere.
-- Products without a stock are not touched.

rail "sold out" { hide = function(product) return product.stock:at_most(0) end }
