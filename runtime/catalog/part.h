/* SPDX-License-Identifier: Apache-2.0
 *
 * Reference-counted pieces that catalog versions are built from: plain data, or an array of other parts.
 * Versions share parts; the one writer copies a shared part before it writes (at_part_own). Used inside
 * catalog/ only. Invariant: a part with more than one reference is never written.
 */
#ifndef AT_CATALOG_PART_H
#define AT_CATALOG_PART_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/memory.h"

struct at_part {
    _Atomic uint32_t refs;
    uint32_t child_count; /* 0: data; else the payload is so many struct at_part pointers, NULL allowed */
    size_t bytes;         /* of the payload */
    _Alignas(16) unsigned char payload[];
};

/* Zeroed payload, one reference; NULL: out of memory. account may be NULL; memory is drawn by force. */
struct at_part *at_part_new(struct at_account *account, size_t bytes);
struct at_part *at_part_new_table(struct at_account *account, uint32_t child_count);
struct at_part *at_part_ref(struct at_part *part); /* NULL is fine */
void at_part_unref(struct at_part *part, struct at_account *account);
/* Make *slot's part this owner's alone, copying it if others share it; false: out of memory, nothing changed.
 */
bool at_part_own(struct at_part **slot, struct at_account *account);
/* Make *slot (may hold NULL) an own table of at least child_count children. */
bool at_part_own_table(struct at_part **slot, uint32_t child_count, struct at_account *account);

static inline struct at_part **at_part_children(struct at_part *part) {
    return (struct at_part **)(void *)part->payload;
}
/* Child of a table that may be NULL or too short. */
static inline struct at_part *at_part_child(const struct at_part *table, uint32_t child) {
    if (!table || child >= table->child_count) return NULL;
    return ((struct at_part *const *)(const void *)table->payload)[child];
}

#endif
