/* SPDX-License-Identifier: Apache-2.0
 *
 * What test programs with one world, or with generated cases, share: numbers from a seed, which a test
 * prints, the words of a case that failed, and the world's life.
 */
#ifndef AT_TESTS_UNIT_CASES_H
#define AT_TESTS_UNIT_CASES_H

#include <stdint.h>
#include <stdlib.h>

/* A small generator of its own, so that a seed means the same everywhere (splitmix64). */
static inline uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}
static inline uint32_t random_below(uint64_t *state, uint32_t limit) {
    return (uint32_t)(next_random(state) % limit);
}
/* The seed: from ATTUNE_SEED, else fixed; a test prints it. */
static inline uint64_t first_seed(uint64_t otherwise) {
    const char *text = getenv("ATTUNE_SEED");
    return text ? strtoull(text, NULL, 0) : otherwise;
}

/* Of a program: the seed it began with, where it is now, and the case. */
#define GENERATED_CASES                                                                                      \
    static uint64_t seed, first;                                                                             \
    static int number
#define CHECK(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim))                                                                                        \
            fail_msg("seed %llu, case %d, line %d: %s", (unsigned long long)first, number, __LINE__,         \
                     #claim);                                                                                \
    } while (0)

/* Of a program: its world, from begin to end of the group. */
#define ONE_WORLD                                                                                            \
    static struct world world;                                                                               \
    static int begin(void **state) {                                                                         \
        (void)state;                                                                                         \
        world_init(&world);                                                                                  \
        return 0;                                                                                            \
    }                                                                                                        \
    static int end(void **state) {                                                                           \
        (void)state;                                                                                         \
        world_clear(&world);                                                                                 \
        return 0;                                                                                            \
    }

#endif
