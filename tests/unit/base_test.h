/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of base share: a printed seed (AT_SEED repeats a run) and random numbers from it.
 */
#ifndef AT_TESTS_BASE_TEST_H
#define AT_TESTS_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "base/hash.h"

static uint64_t random_state;

static inline uint64_t next_random(void) {
    return at_mix64(random_state += 0x9E3779B97F4A7C15U);
}

#define seed_random(count) seed_random_of(__func__, count)
static inline void seed_random_of(const char *property, int count) {
    const char *given = getenv("AT_SEED");
    random_state = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    print_message("property: %s, seed %llu, %d cases\n", property, (unsigned long long)random_state, count);
}

#endif
