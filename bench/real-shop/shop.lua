-- SPDX-License-Identifier: Apache-2.0
shop "real-shop" { currency = "GBP", timezone = "Europe/London" }
