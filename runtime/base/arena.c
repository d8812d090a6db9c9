/* SPDX-License-Identifier: Apache-2.0
 *
 * Request memory: bump allocation out of a chain of blocks, freed all at once. Used by whoever answers a
 * request; one thread at a time. Every pointer handed out is 16-byte aligned. Free space is poisoned under
 * AddressSanitizer, so that a stray read into it or past a piece is caught as if malloc had given it.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define AT_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define AT_HAS_ASAN 1
#endif
#endif
#ifdef AT_HAS_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(at, size)   poison(at, size)
#define UNPOISON(at, size) __asan_unpoison_memory_region(at, size)
#define REDZONE            16
/* Out of line: gcc takes the const pointer of asan's own function for a read of memory nobody has set. */
static __attribute__((noinline)) void poison(void *at, size_t size) {
    __asan_poison_memory_region(at, size);
}
#else
#define POISON(at, size)   ((void)(at), (void)(size))
#define UNPOISON(at, size) ((void)(at), (void)(size))
#define REDZONE            0
#endif

#define ALIGNMENT  16
#define FIRST_SIZE ((size_t)4096)
#define KEEP_SIZE  ((size_t)64 * 1024)

struct at_arena_block {
    struct at_arena_block *older;
    size_t size; /* of data */
    _Alignas(ALIGNMENT) char data[];
};

void at_arena_init_kept(struct at_arena *arena, size_t max_bytes, size_t kept_bytes) {
    *arena = (struct at_arena){.max_bytes = max_bytes, .kept_bytes = kept_bytes};
}

void at_arena_init(struct at_arena *arena, size_t max_bytes) {
    at_arena_init_kept(arena, max_bytes, KEEP_SIZE);
}

static size_t round_up(size_t size) {
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static void use_block(struct at_arena *arena, struct at_arena_block *block) {
    arena->head = block;
    arena->next = block->data;
    arena->end = block->data + block->size;
    POISON(block->data, block->size);
}

/* Blocks double up to kept_bytes; a piece that is larger gets a block of its own size. */
static bool add_block(struct at_arena *arena, size_t need) {
    size_t size = arena->head ? arena->head->size * 2 : FIRST_SIZE - sizeof(struct at_arena_block);
    size_t largest = arena->kept_bytes - sizeof(struct at_arena_block);
    if (size > largest) size = largest;
    if (size < need) size = need;
    struct at_arena_block *block = malloc(sizeof(*block) + size);
    if (!block) return false;
    block->older = arena->head;
    block->size = size;
    use_block(arena, block);
    return true;
}

void *at_arena_alloc(struct at_arena *arena, size_t size) {
    size_t room = arena->max_bytes - arena->used_bytes;
    if (size > room || size > SIZE_MAX / 4) return NULL;
    size_t piece_bytes = round_up(size ? size : 1), step = piece_bytes + REDZONE;
    if (piece_bytes > room) return NULL;
    if (step > (size_t)(arena->end - arena->next) && !add_block(arena, step)) return NULL;
    char *piece = arena->next;
    arena->next += step;
    arena->used_bytes += piece_bytes;
    UNPOISON(piece, size);
    return piece;
}

void *at_arena_zalloc(struct at_arena *arena, size_t size) {
    void *piece = at_arena_alloc(arena, size);
    if (piece) memset(piece, 0, size);
    return piece;
}

char *at_arena_dup(struct at_arena *arena, const char *text, size_t length) {
    if (length == SIZE_MAX) return NULL;
    char *copy = at_arena_alloc(arena, length + 1);
    if (!copy) return NULL;
    if (length) memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *at_arena_printf(struct at_arena *arena, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *text = n < 0 ? NULL : at_arena_alloc(arena, (size_t)n + 1);
    if (text) vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(args);
    return text;
}

static void free_block(struct at_arena_block *block) {
    UNPOISON(block->data, block->size);
    free(block);
}

void at_arena_reset(struct at_arena *arena) {
    struct at_arena_block *keep = NULL, *block = arena->head;
    if (!arena->used_bytes) return;
    while (block) {
        struct at_arena_block *older = block->older;
        bool fits = sizeof(*block) + block->size <= arena->kept_bytes;
        if (fits && (!keep || block->size > keep->size)) {
            if (keep) free_block(keep);
            keep = block;
        } else {
            free_block(block);
        }
        block = older;
    }
    at_arena_init_kept(arena, arena->max_bytes, arena->kept_bytes);
    if (!keep) return;
    keep->older = NULL;
    use_block(arena, keep);
}

void at_arena_clear(struct at_arena *arena) {
    struct at_arena_block *block = arena->head;
    while (block) {
        struct at_arena_block *older = block->older;
        free_block(block);
        block = older;
    }
    at_arena_init_kept(arena, arena->max_bytes, arena->kept_bytes);
}
