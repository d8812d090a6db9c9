/* SPDX-License-Identifier: Apache-2.0
 *
 * An append-only dictionary of byte strings: bytes ↔ code 1 … count. One writer, any number of readers
 * without locks. Strings never move and are freed with the dictionary, so that every version of the catalog
 * can share it. A code reaches a reader through a published root or through the table below, both of which
 * order the memory.
 */
#ifndef AT_CATALOG_INTERN_H
#define AT_CATALOG_INTERN_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include "base/memory.h"

struct at_string {
    uint32_t length, hash;
    char data[]; /* 8-byte aligned, a NUL behind it */
};

#define AT_INTERN_SEGMENTS 27
struct at_intern_table;
struct at_intern_block;
struct at_interner {
    struct at_account *account; /* may be NULL */
    _Atomic(struct at_intern_table *) table;
    _Atomic uint32_t count;
    const struct at_string **segments[AT_INTERN_SEGMENTS]; /* segment s: 32 << s strings */
    struct at_intern_block *block;                         /* being filled; older ones behind it */
    size_t free_bytes;
};

struct at_interner *at_interner_new(struct at_account *account); /* NULL: out of memory */
void at_interner_free(struct at_interner *interner);
/* The code of the bytes, added if new; 0: out of memory. Writer only. */
uint32_t at_interner_put(struct at_interner *interner, const void *data, size_t length);
/* 0: not there. interner may be NULL. */
uint32_t at_interner_get(const struct at_interner *interner, const void *data, size_t length);
/* code must have come from this dictionary. */
const struct at_string *at_interner_at(const struct at_interner *interner, uint32_t code);
static inline uint32_t at_interner_count(const struct at_interner *interner) {
    return interner ? atomic_load_explicit(&interner->count, memory_order_acquire) : 0;
}

#endif
