/* SPDX-License-Identifier: Apache-2.0
 *
 * Request memory: born with a request, dies after its last byte is written; nothing in it is freed by hand.
 * One owner, one thread. Blocks are kept over a reset, so a warm arena does not call malloc.
 */
#ifndef AT_BASE_ARENA_H
#define AT_BASE_ARENA_H

#include <stddef.h>

struct at_arena_block;
struct at_arena {
    struct at_arena_block *head; /* the block being filled; older ones behind it */
    char *next, *end;            /* free space of head */
    size_t used_bytes;           /* over all blocks */
    size_t max_bytes;            /* ceiling */
    size_t kept_bytes;           /* the largest block, and the largest that a reset keeps */
};

void at_arena_init(struct at_arena *arena, size_t max_bytes); /* keeps up to 64 KiB */
/* One that is used over and over, and keeps more between. */
void at_arena_init_kept(struct at_arena *arena, size_t max_bytes, size_t kept_bytes);
/* 16-byte aligned, not zeroed; NULL when the ceiling or malloc says no. size 0 gives a valid pointer. */
void *at_arena_alloc(struct at_arena *arena, size_t size);
void *at_arena_zalloc(struct at_arena *arena, size_t size);
/* A NUL-terminated copy; NULL as above. */
char *at_arena_dup(struct at_arena *arena, const char *text, size_t length);
char *at_arena_printf(struct at_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Empty it, keep its largest block of up to kept_bytes. */
void at_arena_reset(struct at_arena *arena);
void at_arena_clear(struct at_arena *arena);

#endif
