/* SPDX-License-Identifier: Apache-2.0
 *
 * A table with open addressing that halves what it holds instead of growing past its bound. A key lies at the
 * high bits of its hash and is chosen by the low bits of its group's, so that what is left is spread like
 * what was there. Taking a record out shifts back those behind it: there are no tombstones.
 */
#include "measure/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"

#define FIRST_SLOTS 64
#define LEVEL_MAX   32
#define SALT        0x5A3D9C1E7B2F4861ULL /* so that it does not choose by what others hash by */

static uint64_t *slot_at(const struct at_sample *sample, size_t i) {
    return (uint64_t *)(void *)(sample->slots + i * sample->slot_bytes);
}

static void *value_of(const struct at_sample *sample, uint64_t *slot) {
    return (char *)slot + sample->value_at;
}

static uint64_t group_of(const struct at_sample *sample, const uint64_t *slot) {
    return slot[sample->value_at / sizeof *slot - 1];
}

void at_sample_init(struct at_sample *sample, const struct at_sample_options *options) {
    size_t value_at = (options->has_groups ? 2 : 1) * sizeof(uint64_t);
    *sample = (struct at_sample){.value_bytes = options->value_bytes,
                                 .value_at = value_at,
                                 .slot_bytes = value_at + options->value_bytes,
                                 .capacity_max = FIRST_SLOTS,
                                 .account = options->account};
    /* While it grows, the table of half the size is still there. */
    while (sample->capacity_max * 3 * sample->slot_bytes <= options->max_bytes) sample->capacity_max *= 2;
}

void at_sample_clear(struct at_sample *sample) {
    if (sample->account && sample->slots)
        at_account_give(sample->account, sample->capacity * sample->slot_bytes);
    free(sample->slots);
    memset(sample, 0, sizeof *sample);
}

static size_t home(const struct at_sample *sample, uint64_t key) {
    return (size_t)(at_mix64(key ^ SALT) >> 32) & (sample->capacity - 1);
}

static bool is_in(const struct at_sample *sample, uint64_t group) {
    return (at_mix64(group + SALT) & (((uint64_t)1 << sample->level) - 1)) == 0;
}

static uint64_t *find(const struct at_sample *sample, uint64_t key) {
    size_t i = home(sample, key);
    while (*slot_at(sample, i) && *slot_at(sample, i) != key) i = (i + 1) & (sample->capacity - 1);
    return slot_at(sample, i);
}

static bool grow(struct at_sample *sample, size_t capacity) {
    unsigned char *slots = calloc(capacity, sample->slot_bytes);
    if (!slots) return false;
    if (sample->account) at_account_force(sample->account, capacity * sample->slot_bytes);
    struct at_sample old = *sample;
    sample->slots = slots;
    sample->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++) {
        const uint64_t *slot = slot_at(&old, i);
        if (*slot) memcpy(find(sample, *slot), slot, sample->slot_bytes);
    }
    if (old.account && old.slots) at_account_give(old.account, old.capacity * old.slot_bytes);
    free(old.slots);
    return true;
}

/* What lies behind, up to the next hole, moves to where it is found from its home. */
static void take_out(struct at_sample *sample, size_t hole) {
    size_t mask = sample->capacity - 1;
    for (size_t i = (hole + 1) & mask; *slot_at(sample, i); i = (i + 1) & mask) {
        size_t from_home = (i - home(sample, *slot_at(sample, i))) & mask;
        if (from_home < ((i - hole) & mask)) continue;
        memcpy(slot_at(sample, hole), slot_at(sample, i), sample->slot_bytes);
        hole = i;
    }
    *slot_at(sample, hole) = 0;
    sample->count--;
}

static void go_up(struct at_sample *sample) {
    sample->level++;
    for (size_t i = 0; i < sample->capacity;) {
        const uint64_t *slot = slot_at(sample, i);
        if (*slot && !is_in(sample, group_of(sample, slot)))
            take_out(sample, i); /* and look again at what came here */
        else
            i++;
    }
}

static bool make_room(struct at_sample *sample) {
    if (!sample->slots) return grow(sample, FIRST_SLOTS);
    while (sample->count * 5 >= sample->capacity * 4) {
        if (sample->capacity < sample->capacity_max && grow(sample, sample->capacity * 2)) return true;
        if (sample->level == LEVEL_MAX) return false;
        go_up(sample);
    }
    return true;
}

void *at_sample_put(struct at_sample *sample, uint64_t key, uint64_t group, bool *is_new) {
    bool has_groups = sample->value_at > sizeof key;
    if (is_new) *is_new = false;
    if (!key) key = SALT;
    if (!has_groups) group = key;
    uint64_t *slot = sample->slots ? find(sample, key) : NULL;
    if (slot && *slot) return value_of(sample, slot);
    if (!is_in(sample, group)) return NULL;
    if (!make_room(sample)) {
        sample->has_failed = true;
        return NULL;
    }
    if (!is_in(sample, group)) return NULL; /* the level went up */
    slot = find(sample, key);
    slot[0] = key;
    if (has_groups) slot[1] = group;
    memset(value_of(sample, slot), 0, sample->value_bytes);
    sample->count++;
    if (is_new) *is_new = true;
    return value_of(sample, slot);
}

void *at_sample_get(const struct at_sample *sample, uint64_t key) {
    if (!sample->slots) return NULL;
    uint64_t *slot = find(sample, key ? key : SALT);
    return *slot ? value_of(sample, slot) : NULL;
}

void *at_sample_next(const struct at_sample *sample, size_t *cursor) {
    while (*cursor < sample->capacity) {
        uint64_t *slot = slot_at(sample, (*cursor)++);
        if (*slot) return value_of(sample, slot);
    }
    return NULL;
}

double at_sample_error(const struct at_sample *sample, uint64_t count) {
    if (!sample->level || !count) return 0;
    double share = ldexp(1, -(int)sample->level);
    return 1.96 * sqrt((1 - share) / (double)count);
}
