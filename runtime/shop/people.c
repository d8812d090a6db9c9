/* SPDX-License-Identifier: Apache-2.0
 *
 * Profiles in memory: committed snapshots behind sharded mutexes that are held for pointer work only. Who
 * writes takes a hold first, builds the next snapshot on the latest one, publishes it to the writers behind
 * and gives the hold back when its unit has its place in the queue: a person has one writer at a time, units
 * of one person stand in the order they were built in, readers always see what is committed. The commit
 * thread takes a unit only if it was built on the last one it took of the person; when one is refused, those
 * built on it are, and their requests run again. Cold profiles are loaded on reader threads. Changed ones
 * stay until written behind; the others leave when their account is full, those not used lately first.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

#define SHARDS 64

struct person {
    uint64_t id;
    struct at_profile *profile; /* committed; NULL: still loading */
    struct at_profile *head;    /* the latest that was built; NULL: the committed one */
    struct at_profile *tip;     /* the latest the commit thread took; NULL: the committed one */
    uint64_t built, head_ordinal, tip_ordinal, committed_ordinal;
    uint32_t pending; /* units on their way */
    struct shard *shard;
    uint32_t place; /* in shard->people */
    bool is_loading, is_held, is_dirty, is_flushing, was_used;
    struct person *next_dirty;
    struct person_wait *first, *last;
};
struct shard {
    pthread_mutex_t mutex;
    struct at_intmap by_id;
    struct person **people;
    uint32_t count, capacity, hand;
    struct person *dirty;
};
struct people {
    struct shard shards[SHARDS];
    struct at_account *account;
};
struct loading {
    struct at_read read;
    struct at_shop *shop;
    struct person *person;
};

static struct shard *shard_of(struct at_shop *shop, uint64_t person) {
    return &shop->people->shards[at_mix64(person) % SHARDS];
}

enum at_status people_open(struct at_shop *shop, struct at_error *err) {
    shop->people = calloc(1, sizeof *shop->people);
    if (!shop->people) return at_fail(err, AT_NOMEM, NULL, "no memory for profiles");
    shop->people->account = &shop->ledger.accounts[AT_ACCOUNT_PROFILES];
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&shop->people->shards[i].mutex, NULL);
        at_intmap_init(&shop->people->shards[i].by_id);
    }
    shop->nobody = at_profile_new(0, shop->people->account);
    if (!shop->nobody) return at_fail(err, AT_NOMEM, NULL, "no memory for profiles");
    return AT_OK;
}

static void put_profile(struct at_profile **place, struct at_profile *profile) {
    struct at_profile *old = *place;
    *place = profile ? at_profile_ref(profile) : NULL;
    if (old) at_profile_unref(old);
}

static void drop(struct shard *shard, struct person *person) {
    at_intmap_remove(&shard->by_id, person->id);
    shard->people[person->place] = shard->people[--shard->count];
    shard->people[person->place]->place = person->place;
    if (person->profile) at_profile_unref(person->profile);
    put_profile(&person->head, NULL);
    put_profile(&person->tip, NULL);
    free(person);
}

void people_close(struct at_shop *shop) {
    if (!shop->people) return;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &shop->people->shards[i];
        while (shard->count) drop(shard, shard->people[shard->count - 1]);
        free(shard->people);
        at_intmap_clear(&shard->by_id);
        pthread_mutex_destroy(&shard->mutex);
    }
    if (shop->nobody) at_profile_unref(shop->nobody);
    shop->nobody = NULL;
    free(shop->people);
    shop->people = NULL;
}

/* The cache gives way for what cannot: the whole keeps to its limit though a share is passed. */
static bool is_over(struct at_shop *shop) {
    return at_account_over(shop->people->account) || at_ledger_over(&shop->ledger);
}

/* Second chance: a few steps of the clock while the account is over. */
static void evict(struct at_shop *shop, struct shard *shard) {
    for (int steps = 0; steps < 16 && shard->count && is_over(shop); steps++) {
        if (shard->hand >= shard->count) shard->hand = 0;
        struct person *person = shard->people[shard->hand];
        bool is_needed = person->is_loading || person->is_held || person->is_dirty || person->is_flushing ||
                         person->first || person->pending;
        if (!is_needed && !person->was_used)
            drop(shard, person);
        else {
            person->was_used = false;
            shard->hand++;
        }
    }
}

static struct person *add(struct shard *shard, uint64_t id) {
    if (shard->count == shard->capacity) {
        uint32_t capacity = shard->capacity ? shard->capacity * 2 : 64;
        struct person **people = realloc(shard->people, capacity * sizeof *people);
        if (!people) return NULL;
        shard->people = people;
        shard->capacity = capacity;
    }
    struct person *person = calloc(1, sizeof *person);
    uint64_t *slot = person ? at_intmap_put(&shard->by_id, id, NULL) : NULL;
    if (!slot) {
        free(person);
        return NULL;
    }
    *slot = (uint64_t)(uintptr_t)person;
    person->id = id;
    person->shard = shard;
    person->place = shard->count;
    shard->people[shard->count++] = person;
    return person;
}

static struct person *find(struct shard *shard, uint64_t id) {
    uint64_t *slot = at_intmap_get(&shard->by_id, id);
    return slot ? (struct person *)(uintptr_t)*slot : NULL;
}

static bool may_hold(const struct person *person, const struct person_wait *wait) {
    return !person->is_held && !(wait->wants_quiet && person->pending);
}

static bool take(struct person *person, struct person_wait *wait) {
    if (person->is_loading || (wait->wants_hold && (person->first || !may_hold(person, wait)))) return false;
    person->was_used = true;
    wait->status = AT_OK;
    wait->profile = at_profile_ref(wait->wants_hold && person->head ? person->head : person->profile);
    if (wait->wants_hold) {
        person->is_held = true;
        wait->person = person;
        wait->base = person->head ? person->head_ordinal : person->committed_ordinal;
        wait->is_accepted = false;
    }
    return true;
}

static void enqueue(struct person *person, struct person_wait *wait) {
    wait->next = NULL;
    if (person->last)
        person->last->next = wait;
    else
        person->first = wait;
    person->last = wait;
}

/* Who can go on now: every reader at the front, then at most one holder. They are called off the lock. */
static struct person_wait *wake(struct person *person) {
    struct person_wait *first = NULL, **end = &first;
    while (person->first && !person->is_loading) {
        struct person_wait *wait = person->first;
        if (wait->wants_hold && !may_hold(person, wait)) break;
        person->first = wait->next;
        if (!person->first) person->last = NULL;
        struct person_wait *rest = person->first;
        person->first = NULL; /* take() asks whether somebody is before it */
        take(person, wait);
        person->first = rest;
        wait->next = NULL;
        *end = wait;
        end = &wait->next;
    }
    return first;
}

static struct person_wait *fail_all(struct person *person, enum at_status status) {
    struct person_wait *first = person->first;
    for (struct person_wait *wait = first; wait; wait = wait->next) wait->status = status;
    person->first = person->last = NULL;
    return first;
}

static void call_all(struct person_wait *wait) {
    while (wait) {
        struct person_wait *next = wait->next; /* ready may give the wait's memory back */
        wait->ready(wait);
        wait = next;
    }
}

/* ---- loading ---- */

static enum at_status read_profile(struct at_shop *shop, struct at_reader *reader, uint64_t id,
                                   struct at_profile **out) {
    struct at_arena arena;
    struct at_profile_row row;
    at_arena_init(&arena, AT_SHOP_BODY_MAX);
    enum at_status status = at_reader_profile(reader, id, &row, &arena);
    if (status == AT_NOTFOUND) {
        *out = at_profile_new(id, shop->people->account);
        status = *out ? AT_OK : AT_NOMEM;
    } else if (status == AT_OK) {
        struct at_json_parser *parser = parser_borrow(shop);
        struct at_json json;
        status =
            parser ? at_json_parse(parser, row.body.data, row.body.length, false, &json, NULL) : AT_NOMEM;
        if (status == AT_OK) status = at_profile_read(json, shop->people->account, out, NULL);
        parser_return(shop, parser);
        if (status == AT_INVALID) {
            at_log(at_shop_log(shop), AT_LOG_ERROR, "profile", "the stored profile %llu cannot be read",
                   (unsigned long long)id);
            status = AT_IO;
        }
    }
    at_arena_clear(&arena);
    return status;
}

static void load(struct at_read *read, struct at_reader *reader) {
    struct loading *loading = (struct loading *)read;
    struct person *person = loading->person;
    struct at_profile *profile = NULL;
    enum at_status status = read_profile(loading->shop, reader, person->id, &profile);
    count_add(loading->shop, COUNT_PROFILE_LOADS, 1);
    struct shard *shard = person->shard;
    pthread_mutex_lock(&shard->mutex);
    person->is_loading = false;
    struct person_wait *woken;
    if (status == AT_OK) {
        person->profile = profile;
        woken = wake(person);
    } else {
        woken = fail_all(person, status);
        drop(shard, person);
    }
    pthread_mutex_unlock(&shard->mutex);
    free(loading);
    call_all(woken);
}

/* Under the lock: a new entry, loading or ready. NULL: out of memory. */
static struct person *begin(struct at_shop *shop, struct shard *shard, uint64_t id, bool is_new,
                            struct loading **loading) {
    evict(shop, shard);
    struct person *person = add(shard, id);
    if (!person) return NULL;
    if (is_new) {
        person->profile = at_profile_new(id, shop->people->account);
        if (person->profile) return person;
    } else {
        *loading = calloc(1, sizeof **loading);
        person->is_loading = *loading != NULL;
        if (*loading) {
            **loading = (struct loading){{NULL, load}, shop, person};
            return person;
        }
    }
    drop(shard, person);
    return NULL;
}

bool people_get(struct at_shop *shop, uint64_t id, bool is_new, struct person_wait *wait) {
    struct shard *shard = shard_of(shop, id);
    struct loading *loading = NULL;
    bool is_there = true;
    wait->profile = NULL;
    wait->person = NULL;
    pthread_mutex_lock(&shard->mutex);
    struct person *person = find(shard, id);
    if (!person) person = begin(shop, shard, id, is_new, &loading);
    if (!person)
        wait->status = AT_NOMEM;
    else if (!take(person, wait)) {
        enqueue(person, wait);
        is_there = false;
    }
    pthread_mutex_unlock(&shard->mutex);
    if (loading) at_store_read(shop->store, &loading->read);
    return is_there;
}

void people_offer(struct at_shop *shop, struct at_profile *profile) {
    struct shard *shard = shard_of(shop, profile->person);
    pthread_mutex_lock(&shard->mutex);
    struct person *person = find(shard, profile->person) ? NULL : add(shard, profile->person);
    if (person) person->profile = at_profile_ref(profile);
    pthread_mutex_unlock(&shard->mutex);
}

struct at_profile *people_peek(struct at_shop *shop, uint64_t id) {
    struct shard *shard = shard_of(shop, id);
    pthread_mutex_lock(&shard->mutex);
    struct person *person = find(shard, id);
    struct at_profile *profile = person && person->profile ? at_profile_ref(person->profile) : NULL;
    if (profile) person->was_used = true;
    pthread_mutex_unlock(&shard->mutex);
    return profile;
}

static void mark_dirty(struct person *person) {
    if (person->is_dirty) return;
    person->is_dirty = true;
    person->next_dirty = person->shard->dirty;
    person->shard->dirty = person;
}

void people_release(struct at_shop *shop, struct person *person, struct at_profile *next) {
    struct shard *shard = person->shard;
    struct at_profile *old = NULL;
    pthread_mutex_lock(&shard->mutex);
    if (next) {
        old = person->profile;
        person->profile = next;
        if (next != old) mark_dirty(person);
    }
    person->is_held = false;
    struct person_wait *woken = wake(person);
    evict(shop, shard);
    pthread_mutex_unlock(&shard->mutex);
    if (old) at_profile_unref(old);
    call_all(woken);
}

void people_publish(struct person_wait *hold, struct at_profile *next) {
    struct person *person = hold->person;
    pthread_mutex_lock(&person->shard->mutex);
    put_profile(&person->head, next);
    person->head_ordinal = hold->ordinal = ++person->built;
    person->pending++;
    pthread_mutex_unlock(&person->shard->mutex);
}

/* Those who come build on that one. */
static void set_head(struct person *person, uint64_t ordinal, struct at_profile *profile) {
    put_profile(&person->head, ordinal == person->committed_ordinal ? NULL : profile);
    person->head_ordinal = ordinal;
}

/* Nothing is on its way: the committed one is all there is. */
static void rest(struct person *person) {
    if (person->pending) return;
    put_profile(&person->head, NULL);
    put_profile(&person->tip, NULL);
    person->tip_ordinal = person->committed_ordinal;
}

void people_withdraw(struct person_wait *hold) {
    struct person *person = hold->person;
    pthread_mutex_lock(&person->shard->mutex);
    person->pending--;
    set_head(person, hold->base, hold->profile);
    rest(person);
    pthread_mutex_unlock(&person->shard->mutex);
}

bool people_accept(struct person_wait *hold, struct at_profile *next) {
    struct person *person = hold->person;
    pthread_mutex_lock(&person->shard->mutex);
    hold->is_accepted = hold->base == person->tip_ordinal;
    if (hold->is_accepted) {
        person->tip_ordinal = hold->ordinal;
        put_profile(&person->tip, next);
    }
    pthread_mutex_unlock(&person->shard->mutex);
    return hold->is_accepted;
}

static void take_back(struct person *person, const struct person_wait *hold) {
    if (hold->is_accepted && hold->base < person->tip_ordinal) {
        person->tip_ordinal = hold->base;
        put_profile(&person->tip, hold->base == person->committed_ordinal ? NULL : hold->profile);
    }
    set_head(person, person->tip_ordinal, person->tip);
}

void people_settle_unit(struct at_shop *shop, struct person_wait *hold, struct at_profile *next) {
    struct person *person = hold->person;
    struct shard *shard = person->shard;
    struct at_profile *old = NULL;
    pthread_mutex_lock(&shard->mutex);
    person->pending--;
    if (next) {
        old = person->profile;
        person->profile = next;
        person->committed_ordinal = hold->ordinal;
        if (next != old) mark_dirty(person);
    } else
        take_back(person, hold);
    rest(person);
    struct person_wait *woken = wake(person);
    evict(shop, shard);
    pthread_mutex_unlock(&shard->mutex);
    if (old) at_profile_unref(old);
    call_all(woken);
}

void people_gone(struct at_shop *shop, struct person *person) {
    (void)shop;
    struct shard *shard = person->shard;
    pthread_mutex_lock(&shard->mutex);
    struct person_wait *woken = fail_all(person, AT_STALE);
    for (struct person **at = &shard->dirty; *at; at = &(*at)->next_dirty)
        if (*at == person) {
            *at = person->next_dirty;
            break;
        }
    drop(shard, person);
    pthread_mutex_unlock(&shard->mutex);
    call_all(woken);
}

/* ---- from a thread that may block ---- */

static void open_latch(struct person_wait *wait) {
    at_latch_open(wait->arg);
}

enum at_status people_get_now(struct at_shop *shop, uint64_t person, bool is_new, struct person_wait *wait) {
    struct at_latch there;
    at_latch_init(&there);
    wait->ready = open_latch;
    wait->arg = &there;
    if (!people_get(shop, person, is_new, wait)) at_latch_wait(&there);
    at_latch_clear(&there);
    return wait->status;
}

enum at_status people_hold_now(struct at_shop *shop, uint64_t person, bool is_new, struct person_wait *wait) {
    *wait = (struct person_wait){.wants_hold = true, .wants_quiet = true};
    return people_get_now(shop, person, is_new, wait);
}

enum at_status people_put_row(struct at_shop *shop, struct at_unit *unit, struct at_arena *arena,
                              const struct at_profile *profile) {
    struct at_write *write = at_unit_write(unit, arena, AT_WRITE_PROFILE);
    struct at_bytes body;
    at_bytes_init(&body, AT_SHOP_BODY_MAX);
    at_profile_write(profile, &body);
    const char *text = write && !body.failed ? at_arena_dup(arena, body.data, body.length) : NULL;
    if (text)
        write->profile = (struct at_profile_row){
            profile->person, profile->applied_seq, {text, body.length}, rhythm_days(shop, profile)};
    at_bytes_clear(&body);
    return text ? AT_OK : AT_NOMEM;
}

enum at_status people_drop_row(struct at_unit *unit, struct at_arena *arena, uint64_t person) {
    struct at_write *gone = at_unit_write(unit, arena, AT_WRITE_PROFILE_GONE);
    if (!gone) return AT_NOMEM;
    gone->profile.person = person;
    return AT_OK;
}

/* ---- writing behind ---- */

static int by_person(const void *a, const void *b) {
    uint64_t x = ((const struct dirty_profile *)a)->profile->person,
             y = ((const struct dirty_profile *)b)->profile->person;
    return x < y ? -1 : x > y;
}

struct dirty_profile *people_take_dirty(struct at_shop *shop, struct at_arena *arena, uint32_t *count) {
    uint32_t capacity = 0;
    *count = 0;
    for (int i = 0; i < SHARDS; i++) {
        struct shard *shard = &shop->people->shards[i];
        pthread_mutex_lock(&shard->mutex);
        for (struct person *person = shard->dirty; person; person = person->next_dirty) capacity++;
        pthread_mutex_unlock(&shard->mutex);
    }
    struct dirty_profile *dirty = at_arena_alloc(arena, (capacity + 1) * sizeof *dirty);
    for (int i = 0; dirty && i < SHARDS; i++) {
        struct shard *shard = &shop->people->shards[i];
        pthread_mutex_lock(&shard->mutex);
        while (shard->dirty && *count < capacity) {
            struct person *person = shard->dirty;
            shard->dirty = person->next_dirty;
            person->is_dirty = false;
            person->is_flushing = true;
            dirty[(*count)++] = (struct dirty_profile){person, at_profile_ref(person->profile)};
        }
        pthread_mutex_unlock(&shard->mutex);
    }
    if (dirty) qsort(dirty, *count, sizeof *dirty, by_person);
    return dirty;
}

void people_settle(struct at_shop *shop, struct dirty_profile *dirty, uint32_t count, bool is_stored) {
    for (uint32_t i = 0; i < count; i++) {
        struct shard *shard = dirty[i].person->shard;
        pthread_mutex_lock(&shard->mutex);
        dirty[i].person->is_flushing = false;
        if (!is_stored) mark_dirty(dirty[i].person);
        if (is_stored) evict(shop, shard); /* only now may they go */
        pthread_mutex_unlock(&shard->mutex);
        at_profile_unref(dirty[i].profile);
    }
}

size_t people_count(struct at_shop *shop) {
    size_t count = 0;
    for (int i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&shop->people->shards[i].mutex);
        count += shop->people->shards[i].count;
        pthread_mutex_unlock(&shop->people->shards[i].mutex);
    }
    return count;
}
