/* SPDX-License-Identifier: Apache-2.0
 *
 * Reference-counted copy-on-write parts of the catalog. The writer calls own; readers only pass through and
 * drop their references when the last pin of a version goes. Only the writer adds references, so a count of
 * one that the writer reads about a part it holds stays one.
 */
#include "catalog/part.h"

#include <stdlib.h>
#include <string.h>

static struct at_part *alloc_part(struct at_account *account, size_t bytes, uint32_t child_count) {
    size_t size = sizeof(struct at_part) + bytes;
    struct at_part *part = malloc(size);
    if (!part) return NULL;
    if (account) at_account_force(account, size);
    atomic_init(&part->refs, 1);
    part->child_count = child_count;
    part->bytes = bytes;
    return part;
}

struct at_part *at_part_new(struct at_account *account, size_t bytes) {
    struct at_part *part = alloc_part(account, bytes, 0);
    if (part) memset(part->payload, 0, bytes);
    return part;
}

struct at_part *at_part_new_table(struct at_account *account, uint32_t child_count) {
    struct at_part *part = alloc_part(account, child_count * sizeof(struct at_part *), child_count);
    if (part) memset(part->payload, 0, part->bytes);
    return part;
}

struct at_part *at_part_ref(struct at_part *part) {
    if (part) atomic_fetch_add_explicit(&part->refs, 1, memory_order_relaxed);
    return part;
}

/* Depth is that of the document tree: table, chunk, page, document. */
void at_part_unref(struct at_part *part, struct at_account *account) {
    if (!part || atomic_fetch_sub_explicit(&part->refs, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < part->child_count; i++) at_part_unref(at_part_children(part)[i], account);
    if (account) at_account_give(account, sizeof *part + part->bytes);
    free(part);
}

/* A copy of `from` with room for child_count children (or its data, if it has none). */
static struct at_part *copy_part(struct at_part *from, uint32_t child_count, struct at_account *account) {
    size_t bytes = child_count ? child_count * sizeof(struct at_part *) : from->bytes;
    struct at_part *copy = alloc_part(account, bytes, child_count);
    if (!copy) return NULL;
    memcpy(copy->payload, from->payload, from->bytes);
    memset(copy->payload + from->bytes, 0, bytes - from->bytes);
    for (uint32_t i = 0; i < from->child_count; i++) at_part_ref(at_part_children(from)[i]);
    return copy;
}

static bool replace_part(struct at_part **slot, uint32_t child_count, struct at_account *account) {
    struct at_part *copy = copy_part(*slot, child_count, account);
    if (!copy) return false;
    at_part_unref(*slot, account);
    *slot = copy;
    return true;
}

bool at_part_own(struct at_part **slot, struct at_account *account) {
    if (atomic_load_explicit(&(*slot)->refs, memory_order_acquire) == 1) return true;
    return replace_part(slot, (*slot)->child_count, account);
}

bool at_part_own_table(struct at_part **slot, uint32_t child_count, struct at_account *account) {
    if (!*slot) {
        *slot = at_part_new_table(account, child_count);
        return *slot != NULL;
    }
    if ((*slot)->child_count < child_count) return replace_part(slot, child_count, account);
    return at_part_own(slot, account);
}
