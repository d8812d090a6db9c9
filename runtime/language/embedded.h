/* SPDX-License-Identifier: Apache-2.0
 *
 * The Lua and JSON lines files of stdlib/ and scripts/, embedded at build time (tools/embed.sh).
 * The table ends with a row whose path is NULL; texts are NUL-terminated.
 */
#ifndef AT_LANGUAGE_EMBEDDED_H
#define AT_LANGUAGE_EMBEDDED_H

#include <stddef.h>

struct at_embedded {
    const char *path; /* "stdlib/words.lua", "scripts/rankings/for_you.lua" */
    const char *text;
    size_t length;
};

extern const struct at_embedded at_embedded_files[];

#endif
