/* SPDX-License-Identifier: Apache-2.0
 *
 * Two hash maps with open addressing: at_map from byte strings (copied in), at_intmap from non-zero 64-bit
 * integers; values are 64-bit integers (a pointer fits). One owner, one thread. Iteration in insertion-free
 * table order: sort where order shows.
 */
#ifndef AT_BASE_MAP_H
#define AT_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/status.h"

struct at_map_slot {
    char *key; /* owned; NULL: free */
    uint32_t length, hash;
    uint64_t value;
};
struct at_map {
    struct at_map_slot *slots;
    size_t count, capacity; /* capacity: a power of two or 0 */
};
void at_map_init(struct at_map *map);
void at_map_clear(struct at_map *map);
/* A pointer to the value, or NULL. */
uint64_t *at_map_get(const struct at_map *map, const char *key, size_t length);
/* The existing value (*is_new false) or a new one set to 0 (*is_new true); NULL: out of memory. is_new may be
 * NULL. */
uint64_t *at_map_put(struct at_map *map, const char *key, size_t length, bool *is_new);
bool at_map_remove(struct at_map *map, const char *key, size_t length);
/* for (size_t i = 0; (slot = at_map_next(map, &i));) */
struct at_map_slot *at_map_next(const struct at_map *map, size_t *cursor);

struct at_intmap_slot {
    uint64_t key; /* 0: free */
    uint64_t value;
};
struct at_intmap {
    struct at_intmap_slot *slots;
    size_t count, capacity;
};
void at_intmap_init(struct at_intmap *map);
void at_intmap_clear(struct at_intmap *map);
uint64_t *at_intmap_get(const struct at_intmap *map, uint64_t key);
uint64_t *at_intmap_put(struct at_intmap *map, uint64_t key, bool *is_new);
bool at_intmap_remove(struct at_intmap *map, uint64_t key);
struct at_intmap_slot *at_intmap_next(const struct at_intmap *map, size_t *cursor);

#endif
