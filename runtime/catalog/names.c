/* SPDX-License-Identifier: Apache-2.0
 *
 * The index from ids, variant ids and SKUs to rows: open addressing with linear probing that begins with the
 * first of the two slots of a cache line. A full table is replaced by one of twice the size through an atomic
 * pointer; the old one stays until the end. A reader trusts a slot once it has read its length with acquire;
 * only `row` may change after that.
 */
#include "catalog/names.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"

#define FIRST_SLOTS 64u
#define LINE        64u
#define BATCH       128

struct at_name_table {
    struct at_name_table *older;
    struct at_name_slot *slots; /* aligned to a cache line inside this allocation */
    size_t size;                /* of this allocation */
    uint32_t mask;
};

_Static_assert(sizeof(struct at_name_slot) == 32, "two slots a cache line");

static struct at_name_table *make_table(struct at_names *names, uint32_t slot_count) {
    size_t size = sizeof(struct at_name_table) + LINE + (size_t)slot_count * sizeof(struct at_name_slot);
    struct at_name_table *table = at_wide_malloc(size);
    if (!table) return NULL;
    memset(table, 0, size);
    if (names->account) at_account_force(names->account, size);
    uintptr_t start = (uintptr_t)(table + 1);
    table->slots = (struct at_name_slot *)((start + LINE - 1) & ~(uintptr_t)(LINE - 1));
    table->size = size;
    table->mask = slot_count - 1;
    return table;
}

bool at_names_init(struct at_names *names, struct at_account *account) {
    *names = (struct at_names){.account = account};
    names->long_keys = at_interner_new(account);
    if (!names->long_keys) return false;
    atomic_init(&names->table, make_table(names, FIRST_SLOTS));
    return atomic_load_explicit(&names->table, memory_order_relaxed) != NULL;
}

void at_names_clear(struct at_names *names) {
    struct at_name_table *table = atomic_load_explicit(&names->table, memory_order_relaxed);
    while (table) {
        struct at_name_table *older = table->older;
        if (names->account) at_account_give(names->account, table->size);
        free(table);
        table = older;
    }
    at_interner_free(names->long_keys);
    atomic_store_explicit(&names->table, NULL, memory_order_relaxed);
    names->long_keys = NULL;
}

static inline uint32_t home_of(const struct at_name_table *table, uint32_t hash) {
    return hash & table->mask & ~1U;
}

static inline uint64_t load64(const char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* In memory only, so it may be quick: two words folded by a multiplication; what is longer than two words by
 * the house's hash. Who could choose names to collide is the shop itself. */
static inline uint32_t hash_of(struct at_text name) {
    uint64_t a = 0, b = 0;
    if (name.length > 16) return (uint32_t)at_hash64(name.data, name.length);
    if (name.length >= 8) {
        a = load64(name.data);
        b = load64(name.data + name.length - 8);
    } else
        for (size_t i = 0; i < name.length; i++) a = a << 8 | (unsigned char)name.data[i];
    a ^= 0x9E3779B97F4A7C15U;
    b ^= 0xBF58476D1CE4E5B9U ^ name.length;
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint32_t)((uint64_t)product ^ (uint64_t)(product >> 64));
}

/* memcmp for the short texts that names are, without the call. */
static inline bool is_same(const char *a, const char *b, size_t length) {
    if (length < 8) {
        for (size_t i = 0; i < length; i++)
            if (a[i] != b[i]) return false;
        return true;
    }
    for (size_t i = 0; i + 8 < length; i += 8)
        if (load64(a + i) != load64(b + i)) return false;
    return load64(a + length - 8) == load64(b + length - 8);
}

static const struct at_string *long_key(const struct at_name_slot *slot) {
    const struct at_string *string;
    memcpy(&string, slot->key, sizeof string);
    return string;
}

struct at_text at_names_text(const struct at_name_slot *entry) {
    uint8_t length = atomic_load_explicit(&entry->length, memory_order_relaxed);
    if (length != AT_NAME_LONG) return (struct at_text){entry->key, length};
    const struct at_string *string = long_key(entry);
    return (struct at_text){string->data, string->length};
}

bool at_names_prepare(struct at_names *names, struct at_text name, uint32_t row, struct at_name_slot *entry) {
    uint8_t length = (uint8_t)name.length;
    memset(entry->key, 0, sizeof entry->key);
    if (name.length <= AT_NAME_INLINE) {
        memcpy(entry->key, name.data, name.length);
    } else {
        uint32_t code = at_interner_put(names->long_keys, name.data, name.length);
        if (!code) return false;
        const struct at_string *string = at_interner_at(names->long_keys, code);
        memcpy(entry->key, &string, sizeof string);
        length = AT_NAME_LONG;
    }
    entry->hash = hash_of(name);
    atomic_init(&entry->row, row);
    atomic_init(&entry->length, length);
    return true;
}

/* Called for a name that is not in the table. */
static void fill_slot(struct at_name_table *table, const struct at_name_slot *entry) {
    uint32_t i = home_of(table, entry->hash);
    while (atomic_load_explicit(&table->slots[i].length, memory_order_relaxed)) i = (i + 1) & table->mask;
    struct at_name_slot *slot = &table->slots[i];
    slot->hash = entry->hash;
    memcpy(slot->key, entry->key, sizeof slot->key);
    atomic_store_explicit(&slot->row, atomic_load_explicit(&entry->row, memory_order_relaxed),
                          memory_order_relaxed);
    atomic_store_explicit(&slot->length, atomic_load_explicit(&entry->length, memory_order_relaxed),
                          memory_order_release);
}

bool at_names_reserve(struct at_names *names, uint32_t more) {
    struct at_name_table *table = atomic_load_explicit(&names->table, memory_order_relaxed);
    uint64_t need = (uint64_t)names->count + more, slot_count = (uint64_t)table->mask + 1;
    while (need * 8 > slot_count * 5) slot_count *= 2;
    if (slot_count == (uint64_t)table->mask + 1) return true;
    if (slot_count > 1u << 31) return false;
    struct at_name_table *wider = make_table(names, (uint32_t)slot_count);
    if (!wider) return false;
    wider->older = table;
    for (uint32_t i = 0; i <= table->mask; i++)
        if (atomic_load_explicit(&table->slots[i].length, memory_order_relaxed))
            fill_slot(wider, &table->slots[i]);
    atomic_store_explicit(&names->table, wider, memory_order_release);
    return true;
}

static struct at_name_slot *find_slot(const struct at_name_table *table, struct at_text name, uint32_t hash) {
    for (uint32_t i = home_of(table, hash);; i = (i + 1) & table->mask) {
        struct at_name_slot *slot = &table->slots[i];
        uint8_t length = atomic_load_explicit(&slot->length, memory_order_acquire);
        if (!length) return NULL;
        if (slot->hash != hash) continue;
        if (length == name.length && length <= AT_NAME_INLINE) {
            if (is_same(slot->key, name.data, length)) return slot;
        } else if (length == AT_NAME_LONG) {
            const struct at_string *string = long_key(slot);
            if (string->length == name.length && memcmp(string->data, name.data, name.length) == 0)
                return slot;
        }
    }
}

static inline uint32_t row_of(const struct at_name_slot *slot) {
    return slot ? atomic_load_explicit(&slot->row, memory_order_relaxed) : UINT32_MAX;
}

void at_names_set(struct at_names *names, const struct at_name_slot *entry) {
    struct at_name_table *table = atomic_load_explicit(&names->table, memory_order_relaxed);
    struct at_name_slot *slot = find_slot(table, at_names_text(entry), entry->hash);
    if (slot) {
        uint32_t row = atomic_load_explicit(&entry->row, memory_order_relaxed);
        atomic_store_explicit(&slot->row, row, memory_order_relaxed);
        return;
    }
    fill_slot(table, entry);
    names->count++;
}

uint32_t at_names_find(const struct at_names *names, struct at_text name) {
    if (!name.length || name.length > UINT32_MAX) return UINT32_MAX;
    const struct at_name_table *table = atomic_load_explicit(&names->table, memory_order_acquire);
    return row_of(find_slot(table, name, hash_of(name)));
}

/* A name of 8 to 16 bytes, as most are: two words say all of it, and which slot of a line it is is no branch.
 * UNUSUAL: find_slot must look; the loop that asks calls nothing. */
#define UNUSUAL (UINT32_MAX - 1)
static inline uint32_t find_usual(const struct at_name_table *table, struct at_text name, uint32_t hash) {
    if (name.length - 8 > 8) return UNUSUAL;
    uint64_t first = load64(name.data), last = load64(name.data + name.length - 8);
    for (uint32_t i = home_of(table, hash);; i = (i + 2) & table->mask) {
        const struct at_name_slot *line = &table->slots[i], *slot = line + (line->hash != hash);
        uint8_t length = atomic_load_explicit(&slot->length, memory_order_acquire);
        if (slot->hash == hash && length == name.length) {
            bool is_it = load64(slot->key) == first && load64(slot->key + length - 8) == last;
            return is_it ? row_of(slot) : UNUSUAL;
        }
        if (!atomic_load_explicit(&line[1].length, memory_order_acquire)) return UNUSUAL;
    }
}

void at_names_find_many(const struct at_names *names, const struct at_text *texts, size_t count,
                        uint32_t *rows) {
    const struct at_name_table *table = atomic_load_explicit(&names->table, memory_order_acquire);
    uint32_t hashes[BATCH];
    for (size_t n; count; count -= n, texts += n, rows += n) {
        n = count < BATCH ? count : BATCH;
        for (size_t i = 0; i < n; i++) {
            hashes[i] = hash_of(texts[i]);
            __builtin_prefetch(&table->slots[home_of(table, hashes[i])]);
        }
        bool has_unusual = false;
        for (size_t i = 0; i < n; i++) {
            rows[i] = find_usual(table, texts[i], hashes[i]);
            has_unusual |= rows[i] == UNUSUAL;
        }
        for (size_t i = 0; has_unusual && i < n; i++)
            if (rows[i] == UNUSUAL)
                rows[i] = texts[i].length ? row_of(find_slot(table, texts[i], hashes[i])) : UINT32_MAX;
    }
}
