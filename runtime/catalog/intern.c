/* SPDX-License-Identifier: Apache-2.0
 *
 * The append-only dictionary behind text and list attributes. Texts lie in blocks that never move; code →
 * text goes through segments that double, text → code through a hash table that is replaced whole when it
 * fills. Replaced tables stay until the end, since a reader may still be in one: together they are no larger
 * than the last.
 */
#include "catalog/intern.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"

#define FIRST_SEGMENT 32u
#define FIRST_SLOTS   16u
#define FIRST_BLOCK   ((size_t)1024)
#define LARGEST_BLOCK ((size_t)64 * 1024)

struct at_intern_table {
    struct at_intern_table *older;
    uint32_t mask;
    _Atomic uint64_t slots[]; /* hash << 32 | code; 0: free */
};
struct at_intern_block {
    struct at_intern_block *older;
    size_t size;
    _Alignas(8) char data[];
};

static void *draw(struct at_interner *interner, size_t size) {
    void *memory = calloc(1, size);
    if (memory && interner->account) at_account_force(interner->account, size);
    return memory;
}

static void give(struct at_interner *interner, void *memory, size_t size) {
    if (memory && interner->account) at_account_give(interner->account, size);
    free(memory);
}

static size_t table_size(uint32_t mask) {
    return sizeof(struct at_intern_table) + ((size_t)mask + 1) * sizeof(uint64_t);
}

static struct at_intern_table *make_table(struct at_interner *interner, uint32_t slot_count) {
    struct at_intern_table *table = draw(interner, table_size(slot_count - 1));
    if (table) table->mask = slot_count - 1;
    return table;
}

struct at_interner *at_interner_new(struct at_account *account) {
    struct at_interner *interner = calloc(1, sizeof *interner);
    if (!interner) return NULL;
    interner->account = account;
    struct at_intern_table *table = make_table(interner, FIRST_SLOTS);
    if (!table) {
        free(interner);
        return NULL;
    }
    if (account) at_account_force(account, sizeof *interner);
    atomic_init(&interner->table, table);
    return interner;
}

void at_interner_free(struct at_interner *interner) {
    if (!interner) return;
    struct at_intern_table *table = atomic_load_explicit(&interner->table, memory_order_relaxed);
    while (table) {
        struct at_intern_table *older = table->older;
        give(interner, table, table_size(table->mask));
        table = older;
    }
    while (interner->block) {
        struct at_intern_block *older = interner->block->older;
        give(interner, interner->block, sizeof *interner->block + interner->block->size);
        interner->block = older;
    }
    for (int s = 0; s < AT_INTERN_SEGMENTS; s++)
        give(interner, interner->segments[s], ((size_t)FIRST_SEGMENT << s) * sizeof(void *));
    give(interner, interner, sizeof *interner);
}

static int segment_of(uint32_t code, uint32_t *offset) {
    uint32_t index = code - 1 + FIRST_SEGMENT;
    int segment = 31 - __builtin_clz(index) - 5;
    *offset = index - (FIRST_SEGMENT << segment);
    return segment;
}

const struct at_string *at_interner_at(const struct at_interner *interner, uint32_t code) {
    uint32_t offset;
    int segment = segment_of(code, &offset);
    return interner->segments[segment][offset];
}

static uint32_t find_code(const struct at_interner *interner, const void *data, size_t length,
                          uint32_t hash) {
    const struct at_intern_table *table = atomic_load_explicit(&interner->table, memory_order_acquire);
    for (uint32_t i = hash & table->mask;; i = (i + 1) & table->mask) {
        uint64_t slot = atomic_load_explicit(&table->slots[i], memory_order_acquire);
        if (!slot) return 0;
        if (slot >> 32 != hash) continue;
        const struct at_string *string = at_interner_at(interner, (uint32_t)slot);
        if (string->length == length && memcmp(string->data, data, length) == 0) return (uint32_t)slot;
    }
}

uint32_t at_interner_get(const struct at_interner *interner, const void *data, size_t length) {
    if (!interner || length > UINT32_MAX) return 0;
    return find_code(interner, data, length, (uint32_t)at_hash64(data, length));
}

static void fill_slot(struct at_intern_table *table, uint64_t slot) {
    uint32_t i = (uint32_t)(slot >> 32) & table->mask;
    while (atomic_load_explicit(&table->slots[i], memory_order_relaxed)) i = (i + 1) & table->mask;
    atomic_store_explicit(&table->slots[i], slot, memory_order_release);
}

/* Room for one more at a load of 5/8. */
static bool grow_table(struct at_interner *interner, uint32_t count) {
    struct at_intern_table *table = atomic_load_explicit(&interner->table, memory_order_relaxed);
    if ((uint64_t)(count + 1) * 8 <= ((uint64_t)table->mask + 1) * 5) return true;
    if (table->mask >= 1u << 30) return false;
    struct at_intern_table *wider = make_table(interner, (table->mask + 1) * 2);
    if (!wider) return false;
    wider->older = table;
    for (uint32_t i = 0; i <= table->mask; i++) {
        uint64_t slot = atomic_load_explicit(&table->slots[i], memory_order_relaxed);
        if (slot) fill_slot(wider, slot);
    }
    atomic_store_explicit(&interner->table, wider, memory_order_release);
    return true;
}

static bool grow_segment(struct at_interner *interner, int segment) {
    if (segment >= AT_INTERN_SEGMENTS) return false;
    if (interner->segments[segment]) return true;
    interner->segments[segment] = draw(interner, ((size_t)FIRST_SEGMENT << segment) * sizeof(void *));
    return interner->segments[segment] != NULL;
}

static bool grow_block(struct at_interner *interner, size_t need) {
    if (interner->free_bytes >= need) return true;
    size_t size = interner->block ? interner->block->size * 2 : FIRST_BLOCK;
    if (size > LARGEST_BLOCK) size = LARGEST_BLOCK;
    if (size < need) size = need;
    struct at_intern_block *block = draw(interner, sizeof *block + size);
    if (!block) return false;
    block->size = size;
    block->older = interner->block;
    interner->block = block;
    interner->free_bytes = size;
    return true;
}

static const struct at_string *copy_string(struct at_interner *interner, const void *data, size_t length,
                                           uint32_t hash) {
    size_t need = (sizeof(struct at_string) + length + 1 + 7) & ~(size_t)7;
    if (!grow_block(interner, need)) return NULL;
    size_t used = interner->block->size - interner->free_bytes;
    struct at_string *string = (struct at_string *)(void *)(interner->block->data + used);
    interner->free_bytes -= need;
    string->length = (uint32_t)length;
    string->hash = hash;
    memcpy(string->data, data, length);
    string->data[length] = 0;
    return string;
}

uint32_t at_interner_put(struct at_interner *interner, const void *data, size_t length) {
    uint32_t hash = (uint32_t)at_hash64(data, length);
    uint32_t code = find_code(interner, data, length, hash), offset;
    if (code) return code;
    uint32_t count = atomic_load_explicit(&interner->count, memory_order_relaxed);
    int segment = segment_of(count + 1, &offset);
    if (!grow_segment(interner, segment) || !grow_table(interner, count)) return 0;
    const struct at_string *string = copy_string(interner, data, length, hash);
    if (!string) return 0;
    interner->segments[segment][offset] = string;
    atomic_store_explicit(&interner->count, count + 1, memory_order_release);
    fill_slot(atomic_load_explicit(&interner->table, memory_order_relaxed),
              (uint64_t)hash << 32 | (count + 1));
    return count + 1;
}
