/* SPDX-License-Identifier: Apache-2.0
 *
 * Hash maps with linear probing and removal by shifting back, so there are no tombstones and a lookup ends at
 * the first free slot. Used wherever a name or a number leads to something; the string map owns its keys.
 * At most three quarters of the slots are taken, so a free one always exists.
 */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"

#define FIRST_CAPACITY 8

static bool is_crowded(size_t count, size_t capacity) {
    return count + 1 > capacity - capacity / 4;
}

/* Whether the entry at `from`, whose home is `home`, may move into the hole: its home is not in (hole, from].
 */
static bool may_move(size_t hole, size_t home, size_t from, size_t mask) {
    return ((from - home) & mask) >= ((from - hole) & mask);
}

void at_map_init(struct at_map *map) {
    *map = (struct at_map){0};
}

void at_map_clear(struct at_map *map) {
    for (size_t i = 0; i < map->capacity; i++) free(map->slots[i].key);
    free(map->slots);
    at_map_init(map);
}

/* The slot of the key, or the free slot where it belongs. */
static struct at_map_slot *find_slot(const struct at_map *map, const char *key, size_t length,
                                     uint32_t hash) {
    size_t mask = map->capacity - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct at_map_slot *slot = &map->slots[i];
        if (!slot->key) return slot;
        if (slot->hash == hash && slot->length == length && (!length || !memcmp(slot->key, key, length)))
            return slot;
    }
}

static bool grow_map(struct at_map *map) {
    size_t capacity = map->capacity ? map->capacity * 2 : FIRST_CAPACITY, mask = capacity - 1;
    struct at_map_slot *slots = calloc(capacity, sizeof(*slots));
    if (!slots) return false;
    for (size_t i = 0; i < map->capacity; i++) {
        if (!map->slots[i].key) continue;
        size_t at = map->slots[i].hash & mask;
        while (slots[at].key) at = (at + 1) & mask;
        slots[at] = map->slots[i];
    }
    free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return true;
}

uint64_t *at_map_get(const struct at_map *map, const char *key, size_t length) {
    if (!map->count || length > UINT32_MAX) return NULL;
    struct at_map_slot *slot = find_slot(map, key, length, (uint32_t)at_hash64(key, length));
    return slot->key ? &slot->value : NULL;
}

static uint64_t *fill_slot(struct at_map *map, struct at_map_slot *slot, const char *key, size_t length,
                           uint32_t hash) {
    char *copy = malloc(length + 1);
    if (!copy) return NULL;
    if (length) memcpy(copy, key, length);
    copy[length] = '\0';
    *slot = (struct at_map_slot){.key = copy, .length = (uint32_t)length, .hash = hash};
    map->count++;
    return &slot->value;
}

uint64_t *at_map_put(struct at_map *map, const char *key, size_t length, bool *is_new) {
    uint32_t hash = (uint32_t)at_hash64(key, length);
    struct at_map_slot *slot = map->capacity ? find_slot(map, key, length, hash) : NULL;
    bool is_there = slot && slot->key;
    if (is_new) *is_new = !is_there;
    if (is_there) return &slot->value;
    if (length > UINT32_MAX) return NULL;
    if (is_crowded(map->count, map->capacity)) {
        if (!grow_map(map)) return NULL;
        slot = find_slot(map, key, length, hash);
    }
    return fill_slot(map, slot, key, length, hash);
}

bool at_map_remove(struct at_map *map, const char *key, size_t length) {
    if (!map->count || length > UINT32_MAX) return false;
    struct at_map_slot *slot = find_slot(map, key, length, (uint32_t)at_hash64(key, length));
    if (!slot->key) return false;
    free(slot->key);
    size_t mask = map->capacity - 1, hole = (size_t)(slot - map->slots);
    for (size_t i = (hole + 1) & mask; map->slots[i].key; i = (i + 1) & mask) {
        if (!may_move(hole, map->slots[i].hash & mask, i, mask)) continue;
        map->slots[hole] = map->slots[i];
        hole = i;
    }
    map->slots[hole] = (struct at_map_slot){0};
    map->count--;
    return true;
}

struct at_map_slot *at_map_next(const struct at_map *map, size_t *cursor) {
    while (*cursor < map->capacity) {
        struct at_map_slot *slot = &map->slots[(*cursor)++];
        if (slot->key) return slot;
    }
    return NULL;
}

void at_intmap_init(struct at_intmap *map) {
    *map = (struct at_intmap){0};
}

void at_intmap_clear(struct at_intmap *map) {
    free(map->slots);
    at_intmap_init(map);
}

static struct at_intmap_slot *find_int(const struct at_intmap *map, uint64_t key) {
    size_t mask = map->capacity - 1;
    size_t i = at_mix64(key) & mask;
    while (map->slots[i].key && map->slots[i].key != key) i = (i + 1) & mask;
    return &map->slots[i];
}

static bool grow_intmap(struct at_intmap *map) {
    size_t capacity = map->capacity ? map->capacity * 2 : FIRST_CAPACITY;
    struct at_intmap next = {calloc(capacity, sizeof(*next.slots)), map->count, capacity};
    if (!next.slots) return false;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].key) *find_int(&next, map->slots[i].key) = map->slots[i];
    free(map->slots);
    *map = next;
    return true;
}

uint64_t *at_intmap_get(const struct at_intmap *map, uint64_t key) {
    AT_ASSERT(key != 0);
    if (!map->count) return NULL;
    struct at_intmap_slot *slot = find_int(map, key);
    return slot->key ? &slot->value : NULL;
}

uint64_t *at_intmap_put(struct at_intmap *map, uint64_t key, bool *is_new) {
    AT_ASSERT(key != 0);
    struct at_intmap_slot *slot = map->capacity ? find_int(map, key) : NULL;
    bool is_there = slot && slot->key;
    if (is_new) *is_new = !is_there;
    if (is_there) return &slot->value;
    if (is_crowded(map->count, map->capacity)) {
        if (!grow_intmap(map)) return NULL;
        slot = find_int(map, key);
    }
    *slot = (struct at_intmap_slot){.key = key};
    map->count++;
    return &slot->value;
}

bool at_intmap_remove(struct at_intmap *map, uint64_t key) {
    AT_ASSERT(key != 0);
    if (!map->count) return false;
    struct at_intmap_slot *slot = find_int(map, key);
    if (!slot->key) return false;
    size_t mask = map->capacity - 1, hole = (size_t)(slot - map->slots);
    for (size_t i = (hole + 1) & mask; map->slots[i].key; i = (i + 1) & mask) {
        if (!may_move(hole, at_mix64(map->slots[i].key) & mask, i, mask)) continue;
        map->slots[hole] = map->slots[i];
        hole = i;
    }
    map->slots[hole] = (struct at_intmap_slot){0};
    map->count--;
    return true;
}

struct at_intmap_slot *at_intmap_next(const struct at_intmap *map, size_t *cursor) {
    while (*cursor < map->capacity) {
        struct at_intmap_slot *slot = &map->slots[(*cursor)++];
        if (slot->key) return slot;
    }
    return NULL;
}
