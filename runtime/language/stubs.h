/* SPDX-License-Identifier: Apache-2.0
 *
 * The vocabulary for others: annotations for editors with a Lua language server (LuaLS), and the reference as
 * pages. Written by attune new, attune stubs and make reference.
 */
#ifndef AT_LANGUAGE_STUBS_H
#define AT_LANGUAGE_STUBS_H

#include "language/language.h"

struct at_stubs {                                   /* what a shop has of its own; each may be empty */
    const struct at_declared_attribute *attributes; /* of the catalog and of shop.lua */
    uint32_t attribute_count;
    bool is_whole; /* there are no other attributes */
    const char *const *segments;
    uint32_t segment_count;
};
/* A Lua file that declares every word of this version with its type. out->failed: out of memory. */
void at_stubs_write(const struct at_stubs *stubs, struct at_bytes *out);
/* The names that segment "…" declares in these files; those that cannot be parsed have none. */
enum at_status at_stubs_segments(struct at_arena *arena, const struct at_source_file *files, uint32_t count,
                                 const char *const **names, uint32_t *name_count) AT_MUST_CHECK;

#endif
