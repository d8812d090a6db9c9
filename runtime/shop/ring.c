/* SPDX-License-Identifier: Apache-2.0
 *
 * The latest decisions of each worker, with what they were made from, so that page 2 continues page 1 and an
 * explanation shows what was computed. A decision's id says which worker's ring and which place holds it; the
 * place says whether it still does. Any worker may look; a ring's mutex is held for copying only.
 *
 * What requests said lies one after the other in one buffer, the newest over the oldest: a record knows how
 * many bytes were ever written before its own, and is gone once the buffer's size was written since.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "shop/internal.h"

#define RECORD_BYTES 2048 /* of a decision, all in all, as they usually are */

static const char DIGITS[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford's base 32, as ULIDs have it */

/* 80 bits as 16 characters, most significant first. */
static void write_bits(uint64_t high16, uint64_t low64, char *out) {
    for (int i = 15; i >= 0; i--) {
        out[i] = DIGITS[low64 & 31];
        low64 = low64 >> 5 | (high16 & 31) << 59;
        high16 >>= 5;
    }
}

static int digit_of(char c) {
    const char *at = c ? strchr(DIGITS, c) : NULL;
    return at ? (int)(at - DIGITS) : -1;
}

enum at_status ring_open(struct ring *ring, size_t bytes, struct at_account *account) {
    size_t share = bytes / RECORD_BYTES;
    pthread_mutex_init(&ring->mutex, NULL);
    ring->account = account;
    ring->count = share < 64 ? 64 : share > 65536 ? 65536 : (uint32_t)share;
    ring->size = (size_t)ring->count * (RECORD_BYTES - sizeof *ring->records);
    ring->records = calloc(ring->count, sizeof *ring->records);
    ring->bytes = at_wide_malloc(ring->size);
    return ring->records && ring->bytes ? AT_OK : AT_NOMEM;
}

void recorded_clear(struct recorded *record) {
    if (record->root) at_root_unref(record->root);
    if (record->profile) at_profile_unref(record->profile);
    if (record->baseline) at_baseline_unref(record->baseline);
    record->root = NULL;
    record->profile = NULL;
    record->baseline = NULL;
}

void ring_close(struct ring *ring) {
    for (uint32_t i = 0; ring->records && i < ring->count; i++) recorded_clear(&ring->records[i]);
    free(ring->records);
    free(ring->bytes);
    if (ring->count) pthread_mutex_destroy(&ring->mutex);
    if (ring->account) at_account_give(ring->account, ring->touched);
    ring->records = NULL;
    ring->bytes = NULL;
    ring->count = 0;
}

/* 48 bits of time; then 40 random bits, 8 of the worker, 32 of its counter. */
void ring_id(struct at_worker *worker, int64_t now_ms, char id[AT_ULID_SIZE]) {
    uint64_t ms = (uint64_t)now_ms & 0xFFFFFFFFFFFFULL, number = worker->ring.made++;
    for (int i = 9; i >= 0; i--) {
        id[i] = DIGITS[ms & 31];
        ms >>= 5;
    }
    worker->random += 0x9E3779B97F4A7C15ULL;
    uint64_t random = at_mix64(worker->random);
    write_bits(random & 0xFFFF,
               (random >> 16 & 0xFFFFFF) << 40 | (uint64_t)(worker->index & 0xFF) << 32 |
                   (number & 0xFFFFFFFF),
               id + 10);
    id[26] = 0;
}

bool ring_id_moment(struct at_text id, int64_t *ms) {
    *ms = 0;
    if (id.length != AT_ULID_SIZE - 1) return false;
    for (size_t i = 0; i < id.length; i++) {
        int digit = digit_of(id.data[i]);
        if (digit < 0) return false;
        if (i < 10) *ms = *ms << 5 | digit;
    }
    return id.data[0] <= '7'; /* more is over 48 bits */
}

static bool place_of(struct at_shop *shop, struct at_text id, struct ring **ring, uint32_t *place) {
    uint64_t low = 0;
    if (id.length != AT_ULID_SIZE - 1) return false;
    for (size_t i = 10; i < id.length; i++) {
        int digit = digit_of(id.data[i]);
        if (digit < 0) return false;
        low = low << 5 | (uint64_t)digit;
    }
    uint32_t worker = low >> 32 & 0xFF;
    if (worker >= shop->worker_count || !shop->workers[worker].ring.count) return false;
    *ring = &shop->workers[worker].ring;
    *place = (uint32_t)(low & 0xFFFFFFFF) % (*ring)->count;
    return true;
}

/* Room for that many bytes in one piece; NULL: more than there is in all. */
static char *take_bytes(struct ring *ring, size_t length) {
    size_t from = ring->written % ring->size;
    if (length > ring->size) return NULL;
    if (ring->size - from < length) {
        ring->written += ring->size - from; /* what is left at the end is passed over */
        from = 0;
    }
    ring->written += length;
    if (from + length > ring->touched) {
        if (ring->account) at_account_force(ring->account, from + length - ring->touched);
        ring->touched = from + length;
    }
    return ring->bytes + from;
}

static bool is_kept(const struct ring *ring, const struct recorded *slot) {
    return ring->written - slot->began <= ring->size;
}

static bool keep_body(struct ring *ring, struct recorded *slot, const struct recorded *record) {
    size_t explored = record->explored_count * sizeof *record->explored;
    size_t body = (record->body_length + AT_JSON_PADDING + 7) & ~(size_t)7;
    char *bytes = take_bytes(ring, body + explored);
    if (!bytes) return false;
    slot->began = ring->written - body - explored;
    slot->body = bytes;
    slot->body_length = record->body_length;
    memcpy(bytes, record->body, record->body_length);
    memset(bytes + record->body_length, 0, body - record->body_length);
    slot->explored = (struct at_explored *)(void *)(bytes + body);
    slot->explored_count = record->explored_count;
    if (explored) memcpy(bytes + body, record->explored, explored);
    return true;
}

/* What of its request is not overwritten yet. */
static void wipe(struct ring *ring, const struct recorded *record) {
    uint64_t from = record->began, end = from + record->body_length;
    uint64_t oldest = ring->written > ring->size ? ring->written - ring->size : 0;
    if (from < oldest) from = oldest;
    if (from < end) memset(ring->bytes + from % ring->size, 0, end - from);
}

void ring_forget(struct ring *ring, struct forgotten *forgotten) {
    pthread_mutex_lock(&ring->mutex);
    for (uint32_t i = 0; i < ring->count; i++) {
        struct recorded *record = &ring->records[i];
        bool is_theirs = forgotten_has_person(forgotten, record->person) ||
                         (record->profile && forgotten_has_person(forgotten, record->profile->person));
        if (!record->id[0] || !is_theirs) continue;
        record->id[0] = 0;
        wipe(ring, record);
        recorded_clear(record);
    }
    pthread_mutex_unlock(&ring->mutex);
}

void ring_put(struct at_worker *worker, const struct recorded *record) {
    struct ring *ring;
    uint32_t place;
    struct recorded old = {0};
    if (!place_of(worker->shop, at_text_of(record->id), &ring, &place)) return;
    if (forgotten_has_person(&worker->shop->forgotten, record->person)) return; /* erased meanwhile */
    pthread_mutex_lock(&ring->mutex);
    struct recorded *slot = &ring->records[place];
    old = *slot;
    slot->id[0] = 0;
    slot->root = NULL;
    slot->profile = NULL;
    slot->baseline = NULL;
    if (keep_body(ring, slot, record)) {
        memcpy(slot->id, record->id, sizeof slot->id);
        slot->generation = record->generation;
        slot->person = record->person;
        slot->has_signal = record->has_signal;
        slot->seed = record->seed;
        slot->at_ms = record->at_ms;
        slot->one = record->one;
        slot->root = at_root_ref(record->root);
        slot->profile = record->profile ? at_profile_ref(record->profile) : NULL;
        slot->baseline = record->baseline ? at_baseline_ref(record->baseline) : NULL;
    }
    pthread_mutex_unlock(&ring->mutex);
    recorded_clear(&old);
}

/* Under the ring's mutex. */
static bool is_readable(const struct ring *ring, const struct recorded *slot) {
    return slot->id[0] && slot->root && is_kept(ring, slot);
}

static bool copy_out(const struct recorded *slot, struct at_arena *arena, struct recorded *out) {
    *out = *slot;
    out->body = at_arena_alloc(arena, slot->body_length + AT_JSON_PADDING);
    out->explored = at_arena_alloc(arena, (slot->explored_count + 1) * sizeof *slot->explored);
    if (!out->body || !out->explored) return false;
    memcpy(out->body, slot->body, slot->body_length + AT_JSON_PADDING);
    if (slot->explored_count)
        memcpy(out->explored, slot->explored, slot->explored_count * sizeof *slot->explored);
    at_root_ref(out->root);
    if (out->profile) at_profile_ref(out->profile);
    if (out->baseline) at_baseline_ref(out->baseline);
    return true;
}

bool ring_get(struct at_shop *shop, struct at_text id, struct at_arena *arena, struct recorded *out) {
    struct ring *ring;
    uint32_t place;
    if (!place_of(shop, id, &ring, &place)) return false;
    pthread_mutex_lock(&ring->mutex);
    const struct recorded *slot = &ring->records[place];
    bool is_there = at_text_is(id, slot->id) && is_readable(ring, slot) && copy_out(slot, arena, out);
    pthread_mutex_unlock(&ring->mutex);
    return is_there;
}

uint32_t ring_recent(struct at_shop *shop, struct at_arena *arena, struct recorded *out, uint32_t most) {
    uint32_t count = 0;
    for (uint32_t w = 0; w < shop->worker_count; w++) {
        struct ring *ring = &shop->workers[w].ring;
        uint32_t filled = 0, seen = 0, taken = 0, wanted = (most - count) / (shop->worker_count - w);
        if (!ring->count || !wanted) continue;
        pthread_mutex_lock(&ring->mutex);
        for (uint32_t i = 0; i < ring->count; i++) filled += is_readable(ring, &ring->records[i]);
        for (uint32_t i = 0; i < ring->count && taken < wanted; i++) {
            const struct recorded *slot = &ring->records[i];
            if (!is_readable(ring, slot)) continue;
            if ((uint64_t)seen++ * wanted < (uint64_t)taken * filled)
                continue; /* spread over all there are */
            taken += copy_out(slot, arena, &out[count + taken]);
        }
        pthread_mutex_unlock(&ring->mutex);
        count += taken;
    }
    return count;
}
