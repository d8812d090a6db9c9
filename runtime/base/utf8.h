/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8: is it valid, where not; and the nearest known name for a misspelt one.
 */
#ifndef AT_BASE_UTF8_H
#define AT_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Valid by RFC 3629 (no surrogates, no overlong, ≤ U+10FFFF); else *bad_offset is the first wrong byte. */
bool at_utf8_valid(const char *text, size_t length, size_t *bad_offset);
/* Damerau–Levenshtein distance of two byte strings, capped: returns limit + 1 once it passes limit. ≤ 64
 * bytes each. */
int at_edit_distance(const char *a, size_t a_length, const char *b, size_t b_length, int limit);
/* The nearest of names (distance ≤ 2, ≤ 1 for names under 4 letters; case-insensitive), or NULL. */
const char *at_suggest(const char *name, const char *const *names, size_t count);

#endif
