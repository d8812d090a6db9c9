/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to profile/: what the names of events mean, and letters without a locale: a host may have set one,
 * and what is stored must not depend on it.
 */
#ifndef AT_PROFILE_NAMES_H
#define AT_PROFILE_NAMES_H

#include "base/bytes.h"

bool names_one_product(struct at_text canonical); /* its properties are one product */
/* Weight of interest in the products it names: viewed or clicked 1, wishlist 3, basket 4, bought 6; else 0.
 */
double interest_of(struct at_text canonical);

static inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static inline bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
static inline bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
static inline char to_lower(char c) {
    return is_upper(c) ? (char)(c + 32) : c;
}
static inline bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif
