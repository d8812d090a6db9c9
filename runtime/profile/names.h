/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to profile/: what the names of events mean.
 */
#ifndef AT_PROFILE_NAMES_H
#define AT_PROFILE_NAMES_H

#include "base/bytes.h"

bool names_one_product(struct at_text canonical); /* its properties are one product */
/* Weight of interest in the products it names: viewed or clicked 1, wishlist 3, basket 4, bought 6; else 0.
 */
double interest_of(struct at_text canonical);

#endif
