-- SPDX-License-Identifier: Apache-2.0
--
-- What is sold out is shown nowhere, whatever a ranking says. The stock of a
-- product with sizes is the sum of its sizes.

rail "in stock only" { only = function(product) return product.stock:above(0) end }
