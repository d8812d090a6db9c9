/* SPDX-License-Identifier: Apache-2.0
 *
 * The table behind identity.h: entries in blocks that never move, found by hash; rings of one person; what
 * was merged and what was taken apart; and how all of it comes from the store at start.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "shop/internal.h"

struct identity_entry *identity_at(const struct identity *identity, uint32_t place) {
    return &identity->blocks[place / IDENTITY_BLOCK][place % IDENTITY_BLOCK];
}

static uint32_t *slot_of(const struct identity *identity, uint64_t hash) {
    size_t mask = identity->capacity - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &identity->slots[i];
        if (!*slot || identity_at(identity, *slot - 1)->hash == hash) return slot;
    }
}

uint32_t identity_place(const struct identity *identity, uint64_t hash) {
    return identity->capacity ? *slot_of(identity, hash) - 1 : NO_PLACE; /* of a free slot: NO_PLACE */
}

static enum at_status grow_slots(struct identity *identity) {
    struct identity bigger = *identity;
    bigger.capacity = identity->capacity ? identity->capacity * 2 : 1024;
    bigger.slots = calloc(bigger.capacity, sizeof *bigger.slots);
    if (!bigger.slots) return AT_NOMEM;
    for (uint32_t place = 0; place < identity->count; place++)
        if (identity_at(identity, place)->hash)
            *slot_of(&bigger, identity_at(identity, place)->hash) = place + 1;
    at_account_force(identity->account, (bigger.capacity - identity->capacity) * sizeof *bigger.slots);
    free(identity->slots);
    identity->slots = bigger.slots;
    identity->capacity = bigger.capacity;
    return AT_OK;
}

static enum at_status add_block(struct identity *identity) {
    if (identity->block_count == identity->block_capacity) {
        uint32_t capacity = identity->block_capacity ? identity->block_capacity * 2 : 16;
        struct identity_entry **blocks = realloc(identity->blocks, capacity * sizeof *blocks);
        if (!blocks) return AT_NOMEM;
        identity->blocks = blocks;
        identity->block_capacity = capacity;
    }
    struct identity_entry *block = malloc(IDENTITY_BLOCK * sizeof *block);
    if (!block) return AT_NOMEM;
    at_account_force(identity->account, IDENTITY_BLOCK * sizeof *block);
    identity->blocks[identity->block_count++] = block;
    return AT_OK;
}

enum at_status identity_make_room(struct identity *identity, uint32_t count) {
    enum at_status status = AT_OK;
    while (status == AT_OK && ((size_t)identity->count + count) * 4 > identity->capacity * 3)
        status = grow_slots(identity);
    while (status == AT_OK && identity->count + count > identity->block_count * IDENTITY_BLOCK)
        status = add_block(identity);
    return status;
}

uint32_t identity_add(struct identity *identity, const struct identity_entry *entry, uint32_t beside) {
    uint32_t place = identity->forgotten ? identity->forgotten - 1 : identity->count++;
    if (identity->forgotten) identity->forgotten = identity_at(identity, place)->next;
    struct identity_entry *added = identity_at(identity, place);
    *added = *entry;
    added->next = place;
    if (beside != NO_PLACE) {
        struct identity_entry *other = identity_at(identity, beside);
        added->next = other->next;
        other->next = place;
    }
    *slot_of(identity, entry->hash) = place + 1;
    return place;
}

/* ---- joined and taken apart ---- */

uint64_t identity_pair_key(uint64_t id_a, uint64_t id_b) {
    uint64_t low = id_a < id_b ? id_a : id_b, high = id_a < id_b ? id_b : id_a;
    return at_mix64(at_mix64(low) + high) | 1;
}

bool identity_is_barred(const struct identity *identity, uint64_t id_a, uint64_t id_b) {
    return at_intmap_get(&identity->bars, identity_pair_key(id_a, id_b)) != NULL;
}

uint32_t identity_hours(int64_t ms) {
    return ms < 0 ? 0 : (uint32_t)(ms / AT_HOUR_MS) & 0xffffff;
}

/* There are as many of them as of identifiers of known people: they are counted. */
uint64_t *identity_link(struct identity *identity, uint64_t id_a, uint64_t id_b) {
    size_t before = identity->links.capacity;
    uint64_t *link = at_intmap_put(&identity->links, identity_pair_key(id_a, id_b), NULL);
    at_account_force(identity->account, (identity->links.capacity - before) * sizeof *identity->links.slots);
    return link;
}

uint64_t identity_merge_count(const struct identity *identity, uint64_t person) {
    uint64_t *count = at_intmap_get(&identity->merges, person);
    return count ? *count : 0;
}

static uint64_t current_of(const struct identity *identity, uint64_t person) {
    uint64_t *into;
    while ((into = at_intmap_get(&identity->merged, person)) != NULL) person = *into;
    return person;
}

uint64_t identity_current(struct identity *identity, uint64_t person) {
    pthread_mutex_lock(&identity->mutex);
    person = current_of(identity, person);
    pthread_mutex_unlock(&identity->mutex);
    return person;
}

/* What is put and taken out again has left its room behind. */
static enum at_status room_in(struct at_intmap *map, size_t count) {
    enum at_status status = AT_OK;
    for (size_t i = 0; i < count && status == AT_OK; i++)
        if (!at_intmap_put(map, UINT64_MAX - i, NULL)) status = AT_NOMEM;
    for (size_t i = 0; i < count; i++) at_intmap_remove(map, UINT64_MAX - i);
    return status;
}

enum at_status identity_reserve(struct identity *identity, size_t bars) {
    pthread_mutex_lock(&identity->mutex);
    enum at_status status = room_in(&identity->merged, 1);
    if (status == AT_OK) status = room_in(&identity->merges, 1);
    size_t links = identity->links.capacity;
    if (status == AT_OK) status = room_in(&identity->links, 1);
    at_account_force(identity->account, (identity->links.capacity - links) * sizeof *identity->links.slots);
    if (status == AT_OK) status = room_in(&identity->bars, bars);
    pthread_mutex_unlock(&identity->mutex);
    return status;
}

static void put(struct at_intmap *map, uint64_t key, uint64_t value) {
    uint64_t *place = at_intmap_put(map, key, NULL);
    AT_ASSERT(place != NULL); /* room was made */
    *place = value;
}

static void own_ring(struct identity *identity, uint32_t first, uint64_t person) {
    uint32_t place = first;
    do {
        struct identity_entry *entry = identity_at(identity, place);
        entry->person = person;
        place = entry->next;
    } while (place != first);
}

static void note_merge(struct identity *identity, uint64_t survivor, uint64_t loser) {
    AT_ASSERT(!at_intmap_get(&identity->merged, survivor)); /* a circle would have no end */
    uint64_t merges = identity_merge_count(identity, survivor) + identity_merge_count(identity, loser) + 1;
    put(&identity->merged, loser, survivor);
    at_intmap_remove(&identity->merges, loser);
    put(&identity->merges, survivor, merges);
}

void identity_join(struct identity *identity, uint64_t hash_a, uint64_t hash_b, uint64_t survivor) {
    pthread_mutex_lock(&identity->mutex);
    uint32_t a = identity_place(identity, hash_a), b = identity_place(identity, hash_b);
    uint32_t lost = identity_at(identity, a)->person == survivor ? b : a;
    uint64_t loser = identity_at(identity, lost)->person;
    note_merge(identity, survivor, loser);
    *identity_link(identity, identity_at(identity, a)->id, identity_at(identity, b)->id) = 1; /* reserved */
    own_ring(identity, lost, survivor);
    uint32_t next = identity_at(identity, a)->next; /* one ring of two */
    identity_at(identity, a)->next = identity_at(identity, b)->next;
    identity_at(identity, b)->next = next;
    atomic_fetch_add(&identity->version, 1);
    pthread_mutex_unlock(&identity->mutex);
}

static void leave_ring(struct identity *identity, uint32_t place) {
    uint32_t before = place;
    while (identity_at(identity, before)->next != place) before = identity_at(identity, before)->next;
    identity_at(identity, before)->next = identity_at(identity, place)->next;
    identity_at(identity, place)->next = place;
}

static void add_bar(struct identity *identity, uint32_t place_a, uint32_t place_b) {
    struct identity_entry *a = identity_at(identity, place_a), *b = identity_at(identity, place_b);
    put(&identity->bars, identity_pair_key(a->id, b->id), 1);
    a->is_barred = b->is_barred = true;
}

void identity_split(struct identity *identity, const struct identity_split *split) {
    uint32_t first = NO_PLACE;
    pthread_mutex_lock(&identity->mutex);
    for (size_t i = 0; i < split->count; i++) {
        uint32_t place = identity_place(identity, split->hashes[i]);
        leave_ring(identity, place);
        if (first != NO_PLACE) {
            identity_at(identity, place)->next = identity_at(identity, first)->next;
            identity_at(identity, first)->next = place;
        } else
            first = place;
    }
    own_ring(identity, first, split->person);
    uint32_t barred = identity_place(identity, split->barred);
    for (size_t i = 0; i < split->kept_count; i++)
        add_bar(identity, barred, identity_place(identity, split->kept[i]));
    atomic_fetch_add(&identity->version, 1);
    pthread_mutex_unlock(&identity->mutex);
}

/* ---- forgotten ---- */

/* The slots behind a free one move up, so that a search never ends too early. */
static void free_slot(struct identity *identity, uint64_t hash) {
    size_t mask = identity->capacity - 1, hole = (size_t)(slot_of(identity, hash) - identity->slots);
    for (size_t i = (hole + 1) & mask; identity->slots[i]; i = (i + 1) & mask) {
        size_t home = identity_at(identity, identity->slots[i] - 1)->hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue; /* it stands where it may, behind the hole */
        identity->slots[hole] = identity->slots[i];
        hole = i;
    }
    identity->slots[hole] = 0;
}

static void free_place(struct identity *identity, uint32_t place) {
    struct identity_entry *entry = identity_at(identity, place);
    leave_ring(identity, place);
    free_slot(identity, entry->hash);
    memset(entry, 0, sizeof *entry);
    entry->next = identity->forgotten;
    identity->forgotten = place + 1;
}

/* The whole ring: what an event brought that was then withheld or refused no commit has, and no list of the
 * store. Somebody new of that name, who came meanwhile, is another person. */
void identity_forget(struct identity *identity, uint64_t person, struct at_text kind, struct at_text value) {
    uint64_t hash = identity_hash(identity, kind, value);
    pthread_mutex_lock(&identity->mutex);
    uint32_t place = identity_place(identity, hash);
    if (place != NO_PLACE && identity_at(identity, place)->person == person) {
        for (uint32_t other; (other = identity_at(identity, place)->next) != place;)
            free_place(identity, other);
        free_place(identity, place);
        atomic_fetch_add(&identity->version, 1);
    }
    pthread_mutex_unlock(&identity->mutex);
}

enum at_status identity_people(struct identity *identity, uint64_t person, struct at_arena *arena,
                               uint64_t **people, size_t *count) {
    struct at_intmap_slot *slot;
    size_t n = 1;
    pthread_mutex_lock(&identity->mutex);
    for (size_t i = 0; (slot = at_intmap_next(&identity->merged, &i));)
        n += current_of(identity, slot->key) == person;
    *people = at_arena_alloc(arena, n * sizeof **people);
    *count = 0;
    if (*people) (*people)[(*count)++] = person;
    for (size_t i = 0; *people && (slot = at_intmap_next(&identity->merged, &i));)
        if (current_of(identity, slot->key) == person) (*people)[(*count)++] = slot->key;
    pthread_mutex_unlock(&identity->mutex);
    return *people ? AT_OK : AT_NOMEM;
}

/* ---- start ---- */

struct loading {
    struct at_read read;
    struct identity *identity;
    struct at_intmap of_person; /* a place of each */
    struct at_intmap of_id;     /* the places of those a row takes apart */
    enum at_status status;
    uint64_t seed;
    bool has_seed;
};

static bool load_identifier(void *arg, const struct at_identifier_row *row) {
    struct loading *loading = arg;
    struct identity *identity = loading->identity;
    uint64_t *beside = at_intmap_put(&loading->of_person, row->person, NULL);
    loading->status = beside ? identity_make_room(identity, 1) : AT_NOMEM;
    if (loading->status != AT_OK) return false;
    struct identity_entry entry = {.hash = identity_hash(identity, row->kind, row->value),
                                   .id = row->id,
                                   .person = row->person,
                                   .kind = at_identity_kind_find(&identity->rules, row->kind) & 31,
                                   .since_hours = identity_hours(row->since_ms),
                                   .is_committed = true};
    uint32_t place = identity_add(identity, &entry, *beside ? (uint32_t)*beside - 1 : NO_PLACE);
    *beside = (uint64_t)place + 1;
    uint64_t *wanted = at_intmap_get(&loading->of_id, row->id);
    if (wanted) *wanted = (uint64_t)place + 1;
    return true;
}

static bool load_merge(void *arg, const struct at_merge_row *row) {
    struct loading *loading = arg;
    loading->status = identity_reserve(loading->identity, 0);
    if (loading->status == AT_OK) note_merge(loading->identity, row->survivor, row->loser);
    return loading->status == AT_OK;
}

static bool load_link(void *arg, const struct at_link_row *row) {
    struct loading *loading = arg;
    uint64_t *slot = identity_link(loading->identity, row->a, row->b);
    if (slot)
        *slot = 1;
    else
        loading->status = AT_NOMEM;
    return slot != NULL;
}

static bool want_unlinked(void *arg, const struct at_unlink_row *row) {
    struct loading *loading = arg;
    bool is_there =
        at_intmap_put(&loading->of_id, row->a, NULL) && at_intmap_put(&loading->of_id, row->b, NULL);
    if (!is_there) loading->status = AT_NOMEM;
    return is_there;
}

static bool load_unlink(void *arg, const struct at_unlink_row *row) {
    struct loading *loading = arg;
    uint64_t *a = at_intmap_get(&loading->of_id, row->a), *b = at_intmap_get(&loading->of_id, row->b);
    if (!a || !b || !*a || !*b) return true; /* one of them is gone */
    loading->status = identity_reserve(loading->identity, 1);
    if (loading->status == AT_OK) add_bar(loading->identity, (uint32_t)*a - 1, (uint32_t)*b - 1);
    return loading->status == AT_OK;
}

static void load_seed(struct loading *loading, struct at_reader *reader) {
    struct at_arena arena;
    struct at_text text;
    at_arena_init(&arena, 4096);
    loading->status = at_reader_setting(reader, AT_TEXT("identity_seed"), &text, &arena);
    if (loading->status == AT_OK) {
        char copy[32] = "";
        memcpy(copy, text.data, text.length < sizeof copy ? text.length : sizeof copy - 1);
        loading->seed = strtoull(copy, NULL, 16);
        loading->has_seed = true;
    } else if (loading->status == AT_NOTFOUND)
        loading->status = AT_OK;
    at_arena_clear(&arena);
}

static void load_all(struct at_read *read, struct at_reader *reader) {
    struct loading *loading = (struct loading *)read;
    load_seed(loading, reader);
    if (loading->status != AT_OK || !loading->has_seed) return;
    loading->identity->seed = loading->seed;
    enum at_status status = at_reader_unlinks(reader, want_unlinked, loading);
    if (status == AT_OK && loading->status == AT_OK)
        status = at_reader_identifiers(reader, load_identifier, loading);
    if (status == AT_OK && loading->status == AT_OK) status = at_reader_unlinks(reader, load_unlink, loading);
    if (status == AT_OK && loading->status == AT_OK) status = at_reader_merges(reader, load_merge, loading);
    if (status == AT_OK && loading->status == AT_OK) status = at_reader_links(reader, load_link, loading);
    if (loading->status == AT_OK) loading->status = status;
}

static enum at_status make_seed(struct at_shop *shop, uint64_t *seed) {
    struct at_arena arena;
    struct at_unit unit = {0};
    at_arena_init(&arena, 16384);
    at_random(seed, sizeof *seed);
    struct at_write *write = at_unit_write(&unit, &arena, AT_WRITE_SETTING);
    char *text = at_arena_printf(&arena, "%016llx", (unsigned long long)*seed);
    enum at_status status = AT_NOMEM;
    if (write && text) {
        write->name = AT_TEXT("identity_seed");
        write->text = at_text_of(text);
        status = commit_and_wait(shop, &unit, false);
    }
    at_arena_clear(&arena);
    return status;
}

static uint64_t next_of_store(void *store) {
    return at_store_next_id(store);
}

void identity_init(struct identity *identity, const struct at_identity_rules *rules, uint64_t seed,
                   struct at_account *account) {
    memset(identity, 0, sizeof *identity);
    pthread_mutex_init(&identity->mutex, NULL);
    identity->rules = *rules;
    identity->seed = seed;
    identity->account = account;
    at_intmap_init(&identity->merged);
    at_intmap_init(&identity->merges);
    at_intmap_init(&identity->bars);
    at_intmap_init(&identity->links);
}

void identity_clear(struct identity *identity) {
    if (!identity->account) return;
    at_account_give(identity->account,
                    identity->capacity * sizeof *identity->slots +
                        identity->links.capacity * sizeof *identity->links.slots +
                        (size_t)identity->block_count * IDENTITY_BLOCK * sizeof **identity->blocks);
    for (uint32_t i = 0; i < identity->block_count; i++) free(identity->blocks[i]);
    free(identity->blocks);
    free(identity->slots);
    at_intmap_clear(&identity->merged);
    at_intmap_clear(&identity->merges);
    at_intmap_clear(&identity->bars);
    at_intmap_clear(&identity->links);
    pthread_mutex_destroy(&identity->mutex);
    identity->account = NULL;
}

enum at_status identity_open(struct at_shop *shop, struct at_error *err) {
    struct identity *identity = &shop->identity;
    struct loading loading = {.read = {.run = load_all}, .identity = identity};
    identity_init(identity, &shop->settings->identity, 0, &shop->ledger.accounts[AT_ACCOUNT_IDENTITY]);
    identity->next_id = next_of_store;
    identity->next_arg = shop->store;
    at_intmap_init(&loading.of_person);
    at_intmap_init(&loading.of_id);
    at_store_read_now(shop->store, &loading.read);
    if (loading.status == AT_OK && !loading.has_seed) loading.status = make_seed(shop, &identity->seed);
    at_intmap_clear(&loading.of_person);
    at_intmap_clear(&loading.of_id);
    if (loading.status != AT_OK)
        return at_fail(err, loading.status, NULL, "the identifiers could not be read (%s)",
                       at_status_word(loading.status));
    return AT_OK;
}

void identity_close(struct at_shop *shop) {
    identity_clear(&shop->identity);
}
