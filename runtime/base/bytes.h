/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing byte buffer with a ceiling. A failed append sets `failed` and keeps what was there; further
 * appends do nothing, so a writer checks once at its end. data is NUL-terminated whenever it is not NULL.
 */
#ifndef AT_BASE_BYTES_H
#define AT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <stdint.h>
#include "base/status.h"

/* A borrowed piece of text; not NUL-terminated unless said so. */
struct at_text {
    const char *data;
    size_t length;
};
#define AT_TEXT(literal) ((struct at_text){(literal), sizeof(literal) - 1})
#define AT_TEXT_OF_TABLE(literal)                                                                            \
    { (literal), sizeof(literal) - 1 }                 /* the same, in a static table */
struct at_text at_text_of(const char *nul_terminated); /* NULL gives length 0 */
bool at_text_equal(struct at_text a, struct at_text b);
int at_text_order(struct at_text a, struct at_text b); /* by bytes, a prefix first: < 0, 0, > 0 */
static inline bool at_text_is(struct at_text a, const char *nul_terminated) {
    size_t length = nul_terminated ? strlen(nul_terminated) : 0;
    return a.length == length && (length == 0 || memcmp(a.data, nul_terminated, length) == 0);
}
/* names: NULL-terminated; NULL: none. */
static inline bool at_text_in(struct at_text text, const char *const *names) {
    for (; names && *names; names++)
        if (at_text_is(text, *names)) return true;
    return false;
}

struct at_bytes {
    char *data;
    size_t length, capacity;
    size_t max_bytes;
    bool failed;
};

void at_bytes_init(struct at_bytes *bytes, size_t max_bytes);
void at_bytes_clear(struct at_bytes *bytes); /* free */
void at_bytes_reset(struct at_bytes *bytes); /* empty, keep capacity, failed = false */
bool at_bytes_grow(struct at_bytes *bytes,
                   size_t more); /* for at_bytes_reserve: room that is not there yet */
/* Room for more bytes beyond length. */
static inline bool at_bytes_reserve(struct at_bytes *bytes, size_t more) {
    if (!bytes->failed && bytes->capacity > bytes->length && more < bytes->capacity - bytes->length)
        return true;
    return at_bytes_grow(bytes, more);
}
static inline void at_bytes_add(struct at_bytes *bytes, const void *data, size_t length) {
    if (!at_bytes_reserve(bytes, length)) return;
    if (length) memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    bytes->data[bytes->length] = '\0';
}
void at_bytes_add_text(struct at_bytes *bytes, const char *nul_terminated);
void at_bytes_printf(struct at_bytes *bytes, const char *fmt, ...) AT_PRINTF(2, 3);
/* Ownership moves to you (free()); the buffer is empty afterwards. NULL if failed or out of memory. */
char *at_bytes_take(struct at_bytes *bytes, size_t *length_out);

#endif
