/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocations that fail on demand, ours (the test's .ld file wraps malloc, calloc, aligned_alloc and strdup)
 * and SQLite's (hook_sqlite before anything of it is used): set allocations_left to n and the n-th one after
 * that fails, once.
 */
#ifndef AT_TESTS_STORE_FAIL_H
#define AT_TESTS_STORE_FAIL_H

#include <sqlite3.h>
#include <stdatomic.h>

/* ---- allocations of our own code, through the linker's --wrap ---- */

static atomic_long allocations_left = -1; /* this many succeed, then one fails; -1: all succeed */

static bool is_failing_now(void) {
    if (atomic_load(&allocations_left) < 0) return false;
    return atomic_fetch_sub(&allocations_left, 1) == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size) {
    return is_failing_now() ? NULL : __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size) {
    return is_failing_now() ? NULL : __real_calloc(count, size);
}
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return is_failing_now() ? NULL : __real_aligned_alloc(alignment, size);
}
char *__wrap_strdup(const char *text) {
    return is_failing_now() ? NULL : __real_strdup(text);
}

/* ---- SQLite's own, through its configuration ---- */

static sqlite3_mem_methods real_memory;

static void *sqlite_malloc(int size) {
    return is_failing_now() ? NULL : real_memory.xMalloc(size);
}
static void *sqlite_realloc(void *old, int size) {
    return is_failing_now() ? NULL : real_memory.xRealloc(old, size);
}
static void hook_sqlite(void) {
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory), SQLITE_OK);
    sqlite3_mem_methods mine = real_memory;
    mine.xMalloc = sqlite_malloc;
    mine.xRealloc = sqlite_realloc;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &mine), SQLITE_OK);
}

#endif
