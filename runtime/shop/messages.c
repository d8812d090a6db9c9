/* SPDX-License-Identifier: Apache-2.0
 *
 * Deduplication by (source, messageId): an exact table in memory of what came since the last seal, over
 * sealed runs on disk that a filter knows. A second copy that arrives while the first is in flight waits for
 * the first one's outcome. After a crash the table is read again from the log.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

#define SEAL_AT    200000
#define KEEP_MS    (7 * AT_DAY_MS)
#define SLOT_BYTES sizeof(struct slot)

struct slot {
    uint64_t key; /* 0: free */
    uint64_t payload;
    uint64_t seq; /* 0: in flight */
};
struct messages {
    pthread_mutex_t mutex;
    struct slot *slots;
    size_t count, capacity, settled;
    struct message_wait *waiting; /* for messages in flight */
    uint64_t last_seq;            /* the highest settled */
    struct at_account *account;
};

static struct slot *slot_of(const struct messages *messages, uint64_t key) {
    size_t mask = messages->capacity - 1;
    for (size_t i = at_mix64(key) & mask;; i = (i + 1) & mask)
        if (messages->slots[i].key == key || !messages->slots[i].key) return &messages->slots[i];
}

static bool resize(struct messages *messages, size_t capacity, uint64_t sealed_to) {
    struct messages next = *messages;
    next.capacity = capacity;
    next.slots = calloc(capacity, SLOT_BYTES);
    if (!next.slots) return false;
    next.count = next.settled = 0;
    for (size_t i = 0; i < messages->capacity; i++) {
        const struct slot *slot = &messages->slots[i];
        if (!slot->key || (slot->seq && slot->seq <= sealed_to)) continue;
        *slot_of(&next, slot->key) = *slot;
        next.count++;
        if (slot->seq) next.settled++;
    }
    at_account_give(messages->account, messages->capacity * SLOT_BYTES);
    at_account_force(messages->account, capacity * SLOT_BYTES);
    free(messages->slots);
    messages->slots = next.slots;
    messages->capacity = next.capacity;
    messages->count = next.count;
    messages->settled = next.settled;
    return true;
}

static bool make_room(struct messages *messages) {
    if (messages->count * 3 < messages->capacity * 2) return true;
    return resize(messages, messages->capacity ? messages->capacity * 2 : 4096, 0);
}

/* Backward-shift removal keeps probe chains whole. */
static void remove_slot(struct messages *messages, struct slot *slot) {
    size_t mask = messages->capacity - 1, hole = (size_t)(slot - messages->slots);
    for (size_t i = (hole + 1) & mask; messages->slots[i].key; i = (i + 1) & mask) {
        size_t home = at_mix64(messages->slots[i].key) & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        messages->slots[hole] = messages->slots[i];
        hole = i;
    }
    messages->slots[hole].key = 0;
    messages->count--;
}

static enum message_known claim_locked(struct at_shop *shop, uint64_t key, uint64_t payload, bool was_asked,
                                       struct message_wait *wait) {
    struct messages *messages = shop->messages;
    if (!make_room(messages)) return MESSAGE_NOMEM;
    struct slot *slot = slot_of(messages, key);
    if (slot->key && slot->seq) return slot->payload == payload ? MESSAGE_SAME : MESSAGE_OTHER;
    if (slot->key) {
        if (!wait) return MESSAGE_IN_FLIGHT;
        wait->key = key;
        wait->next = messages->waiting;
        messages->waiting = wait;
        return MESSAGE_IN_FLIGHT;
    }
    if (!was_asked && at_store_may_know_message(shop->store, key)) return MESSAGE_ASK;
    *slot = (struct slot){key, payload, 0};
    messages->count++;
    return MESSAGE_NEW;
}

enum message_known messages_claim(struct at_shop *shop, uint64_t key, uint64_t payload, bool was_asked,
                                  struct message_wait *wait) {
    if (!key) key = 1;
    pthread_mutex_lock(&shop->messages->mutex);
    enum message_known known = claim_locked(shop, key, payload, was_asked, wait);
    pthread_mutex_unlock(&shop->messages->mutex);
    return known;
}

void messages_settle(struct at_shop *shop, uint64_t key, uint64_t seq) {
    struct messages *messages = shop->messages;
    struct message_wait *woken = NULL;
    if (!key) key = 1;
    pthread_mutex_lock(&messages->mutex);
    struct slot *slot = slot_of(messages, key);
    if (seq) {
        slot->seq = seq;
        messages->settled++;
        if (seq > messages->last_seq) messages->last_seq = seq;
    } else if (slot->key)
        remove_slot(messages, slot);
    for (struct message_wait **at = &messages->waiting; *at;) {
        struct message_wait *wait = *at;
        if (wait->key != key) {
            at = &wait->next;
            continue;
        }
        *at = wait->next;
        wait->next = woken;
        woken = wait;
    }
    pthread_mutex_unlock(&messages->mutex);
    while (woken) {
        struct message_wait *next = woken->next;
        woken->ready(woken);
        woken = next;
    }
}

size_t messages_count(struct at_shop *shop) {
    pthread_mutex_lock(&shop->messages->mutex);
    size_t count = shop->messages->count;
    pthread_mutex_unlock(&shop->messages->mutex);
    return count;
}

/* ---- sealing ---- */

static int by_key(const void *a, const void *b) {
    uint64_t x = ((const struct at_message_row *)a)->key, y = ((const struct at_message_row *)b)->key;
    return x < y ? -1 : x > y;
}

/* The cursor says from where the table is rebuilt: everything settled up to a durable sequence goes into the
 * run. */
static struct at_message_row *collect(struct messages *messages, uint64_t to, size_t *count) {
    struct at_message_row *rows = malloc((messages->settled + 1) * sizeof *rows);
    *count = 0;
    for (size_t i = 0; rows && i < messages->capacity; i++) {
        const struct slot *slot = &messages->slots[i];
        if (slot->key && slot->seq && slot->seq <= to)
            rows[(*count)++] = (struct at_message_row){slot->key, slot->payload, slot->seq};
    }
    return rows;
}

static enum at_status write_run(struct at_shop *shop, struct at_message_row *rows, size_t count,
                                uint64_t to) {
    struct at_arena arena;
    struct at_unit unit = {0};
    at_arena_init(&arena, 1 << 16);
    struct at_write *run = at_unit_write(&unit, &arena, AT_WRITE_MESSAGES);
    struct at_write *expire = at_unit_write(&unit, &arena, AT_WRITE_MESSAGES_EXPIRE);
    struct at_write *cursor = at_unit_write(&unit, &arena, AT_WRITE_CURSOR);
    enum at_status status = AT_NOMEM;
    if (run && expire && cursor) {
        run->messages.rows = rows;
        run->messages.count = count;
        run->messages.sealed_ms = at_shop_now(shop);
        expire->number = (uint64_t)(at_shop_now(shop) - KEEP_MS);
        cursor->name = AT_TEXT("messages");
        cursor->number = to;
        status = commit_and_wait(shop, &unit, true);
    }
    at_arena_clear(&arena);
    return status;
}

enum at_status messages_seal(struct at_shop *shop, bool always) {
    struct messages *messages = shop->messages;
    struct at_store_counts counts;
    size_t count;
    at_store_counts(shop->store, &counts);
    pthread_mutex_lock(&messages->mutex);
    if (!messages->settled || (!always && messages->settled < SEAL_AT)) {
        pthread_mutex_unlock(&messages->mutex);
        return AT_OK;
    }
    uint64_t to = messages->last_seq < counts.durable_seq ? messages->last_seq : counts.durable_seq;
    struct at_message_row *rows = collect(messages, to, &count);
    pthread_mutex_unlock(&messages->mutex);
    if (!rows) return AT_NOMEM;
    qsort(rows, count, sizeof *rows, by_key);
    enum at_status status = write_run(shop, rows, count, to);
    free(rows);
    if (status != AT_OK) return status;
    pthread_mutex_lock(&messages->mutex);
    size_t capacity = 4096;
    while (capacity * 2 < (messages->count - count) * 3 + 4096) capacity *= 2;
    resize(messages, capacity, to);
    pthread_mutex_unlock(&messages->mutex);
    return AT_OK;
}

/* ---- start ---- */

struct rebuild {
    struct at_read read;
    struct at_shop *shop;
    enum at_status status;
};

static bool rebuild_row(void *arg, const struct at_event_row *row) {
    struct rebuild *rebuild = arg;
    struct messages *messages = rebuild->shop->messages;
    uint64_t key = row->message_key ? row->message_key : 1;
    if (!make_room(messages)) {
        rebuild->status = AT_NOMEM;
        return false;
    }
    struct slot *slot = slot_of(messages, key);
    if (!slot->key) {
        messages->count++;
        messages->settled++;
    }
    *slot = (struct slot){key, row->payload_hash, row->seq};
    messages->last_seq = row->seq;
    return true;
}

static void rebuild_table(struct at_read *read, struct at_reader *reader) {
    struct rebuild *rebuild = (struct rebuild *)read;
    uint64_t from = 0;
    enum at_status status = at_reader_cursor(reader, AT_TEXT("messages"), &from);
    if (status == AT_OK || status == AT_NOTFOUND)
        status = at_reader_log(reader, from, UINT64_MAX >> 1, rebuild_row, rebuild);
    if (rebuild->status == AT_OK) rebuild->status = status;
}

enum at_status messages_open(struct at_shop *shop, struct at_error *err) {
    struct messages *messages = shop->messages = calloc(1, sizeof *messages);
    if (!messages) return at_fail(err, AT_NOMEM, NULL, "no memory for deduplication");
    pthread_mutex_init(&messages->mutex, NULL);
    messages->account = &shop->ledger.accounts[AT_ACCOUNT_MESSAGES];
    if (!make_room(messages)) return at_fail(err, AT_NOMEM, NULL, "no memory for deduplication");
    struct rebuild rebuild = {{NULL, rebuild_table}, shop, AT_OK};
    at_store_read_now(shop->store, &rebuild.read);
    if (rebuild.status != AT_OK)
        return at_fail(err, rebuild.status, NULL, "the log could not be read (%s)",
                       at_status_word(rebuild.status));
    return AT_OK;
}

void messages_close(struct at_shop *shop) {
    if (!shop->messages) return;
    at_account_give(shop->messages->account, shop->messages->capacity * SLOT_BYTES);
    free(shop->messages->slots);
    pthread_mutex_destroy(&shop->messages->mutex);
    free(shop->messages);
    shop->messages = NULL;
}
