/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocation that fails on demand, for tests whose .ld file wraps malloc, calloc and realloc: set
 * allocations_left to n and the n-th one after that, and all behind it unless fails_once, fail; -1 ends it.
 * has_failed says that one did.
 */
#ifndef AT_TESTS_BASE_FAIL_MALLOC_H
#define AT_TESTS_BASE_FAIL_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

static long allocations_left = -1;
static bool fails_once, has_failed;

static bool may_allocate(void) {
    if (allocations_left < 0) return true;
    if (allocations_left) return allocations_left--;
    if (fails_once) allocations_left = -1;
    has_failed = true;
    return false;
}

#define WRAP(name, params, args)                                                                             \
    void *__real_##name params;                                                                              \
    void *__wrap_##name params;                                                                              \
    void *__wrap_##name params {                                                                             \
        return may_allocate() ? __real_##name args : NULL;                                                   \
    }
WRAP(malloc, (size_t size), (size))
WRAP(calloc, (size_t count, size_t size), (count, size))
WRAP(realloc, (void *old, size_t size), (old, size))

#endif
