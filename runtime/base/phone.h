/* SPDX-License-Identifier: Apache-2.0
 *
 * Phone numbers as the world dials them: libphonenumber behind a C door, called by profile/identity.c. Any
 * thread may call; nothing is thrown into C. A call costs tens of microseconds, the first one milliseconds:
 * at_phone_warm goes first, at start.
 */
#ifndef AT_BASE_PHONE_H
#define AT_BASE_PHONE_H

#ifdef __cplusplus
extern "C" {
#else
#include <stdbool.h>
#endif
#include <stddef.h>

#define AT_PHONE_SIZE 24
/* country: two capital letters, of numbers without a prefix; "" none. E.164 to out, NUL-terminated; returns
 * its length. 0: no valid number, or one with an extension, which many share. -1: out of memory. */
int at_phone_normal(const char *text, size_t length, const char *country, char out[AT_PHONE_SIZE]);
/* Loads what the library knows and compiles the patterns of that country. false: out of memory. */
bool at_phone_warm(const char *country);

#ifdef __cplusplus
}
#endif

#endif
