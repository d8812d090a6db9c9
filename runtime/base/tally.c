/* SPDX-License-Identifier: Apache-2.0
 *
 * An open table of 64-bit slots. A slot counts to 4,095; a hash that comes more often goes on in the slot of
 * another hash that follows from it.
 */
#include "base/tally.h"

#include <stdbool.h>
#include <stdlib.h>
#include "base/hash.h"

#define COUNT_BITS 12
#define COUNT_MOST ((UINT64_C(1) << COUNT_BITS) - 1)

void at_tally_init(struct at_tally *tally, size_t max_entries) {
    *tally = (struct at_tally){.max_entries = max_entries};
}

void at_tally_clear(struct at_tally *tally) {
    free(tally->slots);
    tally->slots = NULL;
    tally->count = tally->capacity = 0;
}

static uint64_t *slot_of(const struct at_tally *tally, uint64_t part) {
    size_t mask = tally->capacity - 1;
    for (size_t i = at_mix64(part) & mask;; i = (i + 1) & mask)
        if (!tally->slots[i] || tally->slots[i] >> COUNT_BITS == part) return &tally->slots[i];
}

static bool grow(struct at_tally *tally) {
    struct at_tally next = *tally;
    next.capacity = tally->capacity ? tally->capacity * 2 : 1024;
    next.slots = calloc(next.capacity, sizeof *next.slots);
    if (!next.slots) return false;
    for (size_t i = 0; i < tally->capacity; i++)
        if (tally->slots[i]) *slot_of(&next, tally->slots[i] >> COUNT_BITS) = tally->slots[i];
    free(tally->slots);
    *tally = next;
    return true;
}

uint64_t at_tally_add(struct at_tally *tally, uint64_t hash) {
    uint64_t before = 0;
    if (tally->count * 4 >= tally->capacity * 3 && !grow(tally)) return 0;
    for (uint64_t part = hash >> COUNT_BITS;; part = at_mix64(part + 1) >> COUNT_BITS, before += COUNT_MOST) {
        uint64_t *slot = slot_of(tally, part);
        if (!*slot) {
            if (tally->count == tally->max_entries) return 0;
            tally->count++;
            *slot = part << COUNT_BITS;
        }
        if ((*slot & COUNT_MOST) < COUNT_MOST) return before + (++*slot & COUNT_MOST);
    }
}
