/* SPDX-License-Identifier: Apache-2.0
 *
 * The vocabulary as the pages of docs/reference/: make reference writes them, make check compares.
 */
#ifndef AT_LANGUAGE_REFERENCE_H
#define AT_LANGUAGE_REFERENCE_H

#include "base/bytes.h"

/* The name of a page by its place, "words.md"; NULL: there are no more. */
const char *at_reference_page(uint32_t i);
void at_reference_write(uint32_t i, struct at_bytes *out);

#endif
