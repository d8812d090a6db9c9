/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows are the store's; in memory stands what is needed to know whether there are any: few words a row.
 */
#include "shop/waiting.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "shop/internal.h"

struct entry {                  /* of a row */
    uint64_t number, key, part; /* hashes of kind and key; of these and part */
};
struct waiting {
    struct entry entries[WAITING_MAX + 1]; /* by number */
    _Atomic size_t count;
    uint64_t next_number;
};

static uint64_t hash_of(const char *kind, struct at_text key) {
    return at_hash64_seed(key.data, key.length, at_hash64(kind, strlen(kind)));
}

static uint64_t part_of(uint64_t key, struct at_text part) {
    return at_hash64_seed(part.data, part.length, key);
}

static size_t count_of(const struct waiting *waiting) {
    return atomic_load_explicit(&waiting->count, memory_order_relaxed);
}

static void set_count(struct waiting *waiting, size_t count) {
    atomic_store_explicit(&waiting->count, count, memory_order_relaxed);
}

static void remember(struct waiting *waiting, uint64_t number, uint64_t key, uint64_t part) {
    size_t count = count_of(waiting);
    waiting->entries[count] = (struct entry){number, key, part};
    set_count(waiting, count + 1);
    if (number >= waiting->next_number) waiting->next_number = number + 1;
}

static void forget(struct waiting *waiting, uint64_t number) {
    size_t count = count_of(waiting), at = 0;
    while (at < count && waiting->entries[at].number != number) at++;
    if (at == count) return;
    memmove(&waiting->entries[at], &waiting->entries[at + 1], (count - at - 1) * sizeof *waiting->entries);
    set_count(waiting, count - 1);
}

/* ---- start ---- */

struct opening {
    struct at_read read;
    struct waiting *waiting;
    enum at_status status;
};

static bool open_one(void *arg, const struct at_waiting_row *row) {
    struct opening *opening = arg;
    if (count_of(opening->waiting) == WAITING_MAX) return false;
    uint64_t key =
        at_hash64_seed(row->key.data, row->key.length, at_hash64(row->kind.data, row->kind.length));
    remember(opening->waiting, row->number, key, part_of(key, row->part));
    return true;
}

static void open_all(struct at_read *read, struct at_reader *reader) {
    struct opening *opening = (struct opening *)read;
    opening->status = at_reader_waiting(reader, open_one, opening);
}

enum at_status waiting_open(struct at_shop *shop, struct at_error *err) {
    shop->waiting = calloc(1, sizeof *shop->waiting);
    if (!shop->waiting) return at_fail(err, AT_NOMEM, NULL, "no memory for what waits");
    shop->waiting->next_number = 1;
    struct opening opening = {{NULL, open_all}, shop->waiting, AT_OK};
    at_store_read_now(shop->store, &opening.read);
    if (opening.status == AT_OK) return AT_OK;
    return at_fail(err, opening.status, NULL, "what waits for its order or product could not be read");
}

void waiting_close(struct at_shop *shop) {
    free(shop->waiting);
    shop->waiting = NULL;
}

size_t waiting_count(const struct at_shop *shop) {
    return count_of(shop->waiting);
}

bool waiting_has(const struct at_shop *shop, const char *kind, struct at_text key) {
    uint64_t hash = hash_of(kind, key);
    size_t count = count_of(shop->waiting);
    for (size_t i = 0; i < count; i++)
        if (shop->waiting->entries[i].key == hash) return true;
    return false;
}

/* ---- coming ---- */

static bool has_part(const struct waiting *waiting, uint64_t part) {
    size_t count = count_of(waiting);
    for (size_t i = 0; i < count; i++)
        if (waiting->entries[i].part == part) return true;
    return false;
}

static enum at_status build(struct at_unit *unit, struct at_arena *arena, const struct at_waiting_row *row,
                            const struct at_claim *absent, uint32_t absent_count) {
    struct at_write *write = at_unit_write(unit, arena, AT_WRITE_WAITING);
    if (!write) return AT_NOMEM;
    write->waiting = *row;
    unit->bytes += row->body.length + 200;
    for (uint32_t i = 0; i < absent_count; i++) {
        struct at_expect *expect = at_unit_expect(unit, arena, AT_EXPECT_NO_CLAIM);
        if (!expect) return AT_NOMEM;
        expect->claim = absent[i];
    }
    return AT_OK;
}

/* The one that waits longest goes with the commit that brings one more. */
static enum at_status make_room(struct at_shop *shop, struct at_unit *unit, struct at_arena *arena,
                                uint64_t *gone) {
    *gone = 0;
    if (count_of(shop->waiting) < WAITING_MAX) return AT_OK;
    struct at_write *write = at_unit_write(unit, arena, AT_WRITE_WAITING_GONE);
    if (!write) return AT_NOMEM;
    write->waiting.number = *gone = shop->waiting->entries[0].number;
    return AT_OK;
}

static void tell_gone(struct at_shop *shop, uint64_t number) {
    forget(shop->waiting, number);
    count_add(shop, COUNT_WAITING_DROPPED, 1);
    if (atomic_exchange(&shop->told_waiting, true)) return;
    at_log(
        at_shop_log(shop), AT_LOG_WARN, "sources",
        "%d refunds and stock levels wait for orders and products that do not come: the oldest go; does the "
        "shop send orders/create and products/update, too?",
        WAITING_MAX);
}

enum at_status waiting_add(struct at_shop *shop, const struct at_waiting_row *row,
                           const struct at_claim *absent, uint32_t absent_count) {
    struct waiting *waiting = shop->waiting;
    struct at_arena arena;
    struct at_unit unit = {.is_retriable = true};
    struct at_waiting_row numbered = *row;
    char kind[32];
    uint64_t gone = 0;
    snprintf(kind, sizeof kind, "%.*s", (int)row->kind.length, row->kind.data);
    uint64_t key = hash_of(kind, row->key), part = part_of(key, row->part);
    bool is_new = !has_part(waiting, part);
    at_arena_init(&arena, 1 << 20);
    numbered.number = waiting->next_number;
    enum at_status status = is_new ? make_room(shop, &unit, &arena, &gone) : AT_OK;
    if (status == AT_OK) status = build(&unit, &arena, &numbered, absent, absent_count);
    if (status == AT_OK) status = commit_and_wait(shop, &unit, false);
    if (status == AT_OK && gone) tell_gone(shop, gone);
    if (status == AT_OK && is_new) remember(waiting, numbered.number, key, part);
    at_arena_clear(&arena);
    return status;
}

/* ---- going ---- */

struct listing {
    struct at_read read;
    const char *kind;
    struct at_text key;
    struct at_arena *arena;
    struct waiting_one *first, **end;
    enum at_status status;
};

static bool list_one(void *arg, const struct at_waiting_row *row) {
    struct listing *listing = arg;
    struct waiting_one *one = at_arena_zalloc(listing->arena, sizeof *one);
    char *part = at_arena_dup(listing->arena, row->part.data, row->part.length);
    struct at_text body = at_json_padded(listing->arena, row->body);
    if (!one || !part || !body.data) {
        listing->status = AT_NOMEM;
        return false;
    }
    *one = (struct waiting_one){NULL, row->number, row->at_ms, {part, row->part.length}, body};
    *listing->end = one;
    listing->end = &one->next;
    return true;
}

static void list_all(struct at_read *read, struct at_reader *reader) {
    struct listing *listing = (struct listing *)read;
    enum at_status status =
        at_reader_waiting_for(reader, at_text_of(listing->kind), listing->key, list_one, listing);
    if (listing->status == AT_OK) listing->status = status;
}

struct waiting_one *waiting_list(struct at_shop *shop, const char *kind, struct at_text key,
                                 struct at_arena *arena, enum at_status *status) {
    struct listing listing = {{NULL, list_all}, kind, key, arena, NULL, NULL, AT_OK};
    listing.end = &listing.first;
    *status = AT_OK;
    if (!waiting_has(shop, kind, key)) return NULL;
    at_store_read_now(shop->store, &listing.read);
    *status = listing.status;
    return listing.status == AT_OK ? listing.first : NULL;
}

enum at_status waiting_gone_write(struct at_unit *unit, struct at_arena *arena,
                                  const struct waiting_one *list) {
    for (; list; list = list->next) {
        struct at_write *write = at_unit_write(unit, arena, AT_WRITE_WAITING_GONE);
        if (!write) return AT_NOMEM;
        write->waiting.number = list->number;
    }
    return AT_OK;
}

void waiting_gone(struct at_shop *shop, const struct waiting_one *list) {
    for (; list; list = list->next) forget(shop->waiting, list->number);
}

enum at_status waiting_drop(struct at_shop *shop, const struct waiting_one *list) {
    struct at_arena arena;
    struct at_unit unit = {0};
    at_arena_init(&arena, 1 << 20);
    enum at_status status = waiting_gone_write(&unit, &arena, list);
    if (status == AT_OK && unit.writes) status = commit_and_wait(shop, &unit, false);
    if (status == AT_OK) waiting_gone(shop, list);
    at_arena_clear(&arena);
    return status;
}
