/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is who: every identifier of the shop in one table in memory, keyed by a 64-bit hash whose seed belongs
 * to the data folder, so that resolving an event or a decision never waits for the disk. The mutex is held
 * for table work only.
 *
 * A person is found by the strongest identifier that is known: user id, e-mail, phone, then the browser. Two
 * people become one when an event names both, unless both are signed-in people of their own: then the browser
 * changed hands, and the event belongs to who is signed in now.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "shop/internal.h"

static uint64_t hash_of(const struct identity *identity, struct at_text kind, struct at_text value) {
    char text[640];
    size_t length = kind.length + 1 + value.length;
    if (length > sizeof text)
        return at_mix64(at_hash64_seed(value.data, value.length, identity->seed) ^
                        at_hash64(kind.data, kind.length)) |
               1;
    memcpy(text, kind.data, kind.length);
    text[kind.length] = 0;
    memcpy(text + kind.length + 1, value.data, value.length);
    uint64_t hash = at_hash64_seed(text, length, identity->seed);
    return hash ? hash : 1;
}

static struct identity_slot *slot_of(const struct identity *identity, uint64_t hash) {
    size_t mask = identity->capacity - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask)
        if (identity->slots[i].hash == hash || !identity->slots[i].hash) return &identity->slots[i];
}

static enum at_status make_room(struct identity *identity) {
    if (identity->count * 4 < identity->capacity * 3) return AT_OK;
    struct identity bigger = *identity;
    bigger.capacity = identity->capacity ? identity->capacity * 2 : 1024;
    bigger.slots = calloc(bigger.capacity, sizeof *bigger.slots);
    if (!bigger.slots) return AT_NOMEM;
    for (size_t i = 0; i < identity->capacity; i++)
        if (identity->slots[i].hash) *slot_of(&bigger, identity->slots[i].hash) = identity->slots[i];
    at_account_force(identity->account, (bigger.capacity - identity->capacity) * sizeof *bigger.slots);
    free(identity->slots);
    identity->slots = bigger.slots;
    identity->capacity = bigger.capacity;
    return AT_OK;
}

static bool is_user(struct at_text kind) {
    return at_text_is(kind, "user_id");
}

static enum at_status insert(struct identity *identity, uint64_t hash, uint64_t id, uint64_t person,
                             bool is_committed, bool user) {
    enum at_status status = make_room(identity);
    if (status != AT_OK) return status;
    if (user) {
        uint64_t *value = at_intmap_put(&identity->users, person, NULL);
        if (!value) return AT_NOMEM;
        *value = id;
    }
    *slot_of(identity, hash) = (struct identity_slot){hash, id, person, is_committed};
    identity->count++;
    return AT_OK;
}

/* Slots keep the person they were made with; who was merged away is followed here. */
static uint64_t person_of(const struct identity *identity, struct identity_slot *slot) {
    uint64_t *into;
    while (slot->person && identity->merged.count && (into = at_intmap_get(&identity->merged, slot->person)))
        slot->person = *into;
    return slot->person;
}

uint64_t identity_find(struct identity *identity, struct at_text kind, struct at_text value) {
    char lower[512]; /* e-mail addresses are kept in lower case */
    if (at_text_is(kind, "email") && value.length <= sizeof lower) {
        for (size_t i = 0; i < value.length; i++)
            lower[i] =
                (char)(value.data[i] >= 'A' && value.data[i] <= 'Z' ? value.data[i] + 32 : value.data[i]);
        value.data = lower;
    }
    uint64_t hash = hash_of(identity, kind, value);
    pthread_mutex_lock(&identity->mutex);
    uint64_t person = identity->capacity ? person_of(identity, slot_of(identity, hash)) : 0;
    pthread_mutex_unlock(&identity->mutex);
    return person;
}

static int strength(struct at_text kind) {
    if (is_user(kind)) return 3;
    if (at_text_is(kind, "email")) return 2;
    if (at_text_is(kind, "phone")) return 1;
    return 0;
}

static bool has_user(const struct identity *identity, uint64_t person) {
    return at_intmap_get(&identity->users, person) != NULL;
}

/* The person of the strongest known identifier; one that is only a browser or address of another signed-in
 * person does not count for an event that brings a user id of its own. */
static uint64_t strongest(struct identity *identity, const struct resolved *out, bool names_user) {
    for (int level = 3; level >= 0; level--)
        for (uint32_t i = 0; i < out->count; i++) {
            const struct resolved_identifier *one = &out->identifiers[i];
            if (strength(one->identifier.kind) != level) continue;
            uint64_t person = person_of(identity, slot_of(identity, one->hash));
            if (person && (level == 3 || !names_user || !has_user(identity, person))) return person;
        }
    return 0;
}

static enum at_status resolve_locked(struct at_shop *shop, bool is_alias, struct resolved *out) {
    struct identity *identity = &shop->identity;
    enum at_status status = make_room(identity);
    if (status != AT_OK) return status;
    bool names_user = false;
    for (uint32_t i = 0; i < out->count; i++) names_user |= is_user(out->identifiers[i].identifier.kind);
    out->person = strongest(identity, out, names_user);
    out->is_new = out->person == 0;
    if (out->is_new) out->person = at_store_next_id(shop->store);
    for (uint32_t i = 0; i < out->count && status == AT_OK; i++) {
        struct resolved_identifier *one = &out->identifiers[i];
        struct identity_slot *slot = slot_of(identity, one->hash);
        if (!slot->hash) {
            one->id = at_store_next_id(shop->store);
            status = insert(identity, one->hash, one->id, out->person, false, is_user(one->identifier.kind));
            continue;
        }
        one->id = slot->id;
        one->is_committed = slot->is_committed;
        uint64_t person = person_of(identity, slot);
        if (person == out->person) continue;
        if (!is_alias && has_user(identity, person) && (names_user || has_user(identity, out->person)))
            one->is_foreign = true;
        else if (!out->other)
            out->other = person;
    }
    return status;
}

enum at_status identity_resolve(struct at_shop *shop, const struct at_event *event, struct resolved *out) {
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        struct resolved_identifier one = {.identifier = event->identifiers[i]};
        one.hash = hash_of(&shop->identity, one.identifier.kind, one.identifier.value);
        bool is_double = false;
        for (uint32_t j = 0; j < out->count; j++) is_double |= out->identifiers[j].hash == one.hash;
        if (!is_double) out->identifiers[out->count++] = one;
    }
    pthread_mutex_lock(&shop->identity.mutex);
    enum at_status status = resolve_locked(shop, event->type == AT_EVENT_ALIAS, out);
    pthread_mutex_unlock(&shop->identity.mutex);
    /* An event stays with its source for ever: the browser's if it is this person's, else what names the
     * person. */
    for (uint32_t i = 0; i < out->count && !out->source; i++)
        if (!out->identifiers[i].is_foreign) out->source = out->identifiers[i].id;
    return status;
}

void identity_committed(struct identity *identity, const struct resolved_identifier *identifier) {
    pthread_mutex_lock(&identity->mutex);
    slot_of(identity, identifier->hash)->is_committed = true;
    pthread_mutex_unlock(&identity->mutex);
}

uint64_t identity_current(struct identity *identity, uint64_t person) {
    uint64_t *into;
    pthread_mutex_lock(&identity->mutex);
    while ((into = at_intmap_get(&identity->merged, person)) != NULL) person = *into;
    pthread_mutex_unlock(&identity->mutex);
    return person;
}

/* The put of the merge must not fail after its commit, so the map grows here. */
enum at_status identity_reserve(struct identity *identity) {
    pthread_mutex_lock(&identity->mutex);
    uint64_t *slot = at_intmap_put(&identity->merged, UINT64_MAX, NULL);
    if (slot) at_intmap_remove(&identity->merged, UINT64_MAX);
    pthread_mutex_unlock(&identity->mutex);
    return slot ? AT_OK : AT_NOMEM;
}

void identity_move(struct identity *identity, uint64_t loser, uint64_t survivor) {
    pthread_mutex_lock(&identity->mutex);
    AT_ASSERT(!at_intmap_get(&identity->merged, survivor)); /* a circle would have no end */
    uint64_t *into = at_intmap_put(&identity->merged, loser, NULL);
    AT_ASSERT(into != NULL);
    *into = survivor;
    uint64_t *user = at_intmap_get(&identity->users, loser);
    uint64_t *kept = user ? at_intmap_get(&identity->users, survivor) : NULL;
    uint64_t id = user ? *user : 0;
    if (user) at_intmap_remove(&identity->users, loser);
    if (user && !kept) { /* the removal has just made room */
        kept = at_intmap_put(&identity->users, survivor, NULL);
        AT_ASSERT(kept != NULL);
        *kept = id;
    }
    atomic_fetch_add(&identity->merges, 1);
    pthread_mutex_unlock(&identity->mutex);
}

/* ---- start ---- */

struct loading {
    struct at_shop *shop;
    struct at_read read;
    enum at_status status;
    uint64_t seed;
    bool has_seed;
};

static bool load_row(void *arg, const struct at_identifier_row *row) {
    struct loading *loading = arg;
    struct identity *identity = &loading->shop->identity;
    loading->status = insert(identity, hash_of(identity, row->kind, row->value), row->id, row->person, true,
                             is_user(row->kind));
    return loading->status == AT_OK;
}

static void load_seed(struct at_read *read, struct at_reader *reader) {
    struct loading *loading = (struct loading *)((char *)read - offsetof(struct loading, read));
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

static void load_rows(struct at_read *read, struct at_reader *reader) {
    struct loading *loading = (struct loading *)((char *)read - offsetof(struct loading, read));
    enum at_status status = at_reader_identifiers(reader, load_row, loading);
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

enum at_status identity_open(struct at_shop *shop, struct at_error *err) {
    struct identity *identity = &shop->identity;
    struct loading loading = {.shop = shop, .read = {.run = load_seed}};
    pthread_mutex_init(&identity->mutex, NULL);
    at_intmap_init(&identity->users);
    at_intmap_init(&identity->merged);
    identity->account = &shop->ledger.accounts[AT_ACCOUNT_IDENTITY];
    at_store_read_now(shop->store, &loading.read);
    if (loading.status == AT_OK && !loading.has_seed) loading.status = make_seed(shop, &loading.seed);
    identity->seed = loading.seed;
    if (loading.status == AT_OK) {
        loading.read.run = load_rows;
        at_store_read_now(shop->store, &loading.read);
    }
    if (loading.status != AT_OK)
        return at_fail(err, loading.status, NULL, "the identifiers could not be read (%s)",
                       at_status_word(loading.status));
    return AT_OK;
}

void identity_close(struct at_shop *shop) {
    struct identity *identity = &shop->identity;
    if (!identity->account) return;
    at_account_give(identity->account, identity->capacity * sizeof *identity->slots);
    free(identity->slots);
    at_intmap_clear(&identity->users);
    at_intmap_clear(&identity->merged);
    pthread_mutex_destroy(&identity->mutex);
    identity->account = NULL;
}
