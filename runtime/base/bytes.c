/* SPDX-License-Identifier: Apache-2.0
 *
 * The growing byte buffer of every writer (JSON, HTTP, logs) and the borrowed text that goes with it.
 * Owns one malloc block; length < capacity <= max_bytes + 1 and data[length] == 0 whenever data is not NULL.
 */
#include "base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_CAPACITY 64

struct at_text at_text_of(const char *nul_terminated) {
    return (struct at_text){nul_terminated, nul_terminated ? strlen(nul_terminated) : 0};
}

int at_text_order(struct at_text a, struct at_text b) {
    size_t length = a.length < b.length ? a.length : b.length;
    int order = length ? memcmp(a.data, b.data, length) : 0;
    return order ? order : a.length < b.length ? -1 : a.length > b.length;
}

bool at_text_equal(struct at_text a, struct at_text b) {
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

void at_bytes_init(struct at_bytes *bytes, size_t max_bytes) {
    *bytes = (struct at_bytes){.max_bytes = max_bytes < SIZE_MAX ? max_bytes : SIZE_MAX - 1};
}

void at_bytes_clear(struct at_bytes *bytes) {
    free(bytes->data);
    at_bytes_init(bytes, bytes->max_bytes);
}

void at_bytes_reset(struct at_bytes *bytes) {
    bytes->length = 0;
    bytes->failed = false;
    if (bytes->data) bytes->data[0] = '\0';
}

bool at_bytes_grow(struct at_bytes *bytes, size_t more) {
    if (bytes->failed || more > bytes->max_bytes - bytes->length) {
        bytes->failed = true;
        return false;
    }
    size_t need = bytes->length + more + 1, limit = bytes->max_bytes + 1;
    size_t capacity = bytes->capacity > limit / 2 ? limit : bytes->capacity * 2;
    if (capacity < SMALLEST_CAPACITY) capacity = SMALLEST_CAPACITY;
    if (capacity < need) capacity = need;
    if (capacity > limit) capacity = limit;
    char *data = realloc(bytes->data, capacity);
    if (!data) {
        bytes->failed = true;
        return false;
    }
    data[bytes->length] = '\0';
    bytes->data = data;
    bytes->capacity = capacity;
    return true;
}

void at_bytes_add_text(struct at_bytes *bytes, const char *nul_terminated) {
    at_bytes_add(bytes, nul_terminated, strlen(nul_terminated));
}

void at_bytes_printf(struct at_bytes *bytes, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    if (at_bytes_reserve(bytes, 0)) {
        size_t room = bytes->capacity - bytes->length;
        int n = vsnprintf(bytes->data + bytes->length, room, fmt, args);
        if (n >= 0 && (size_t)n < room) {
            bytes->length += (size_t)n;
        } else if (n < 0) {
            bytes->failed = true;
        } else if (at_bytes_reserve(bytes, (size_t)n)) {
            vsnprintf(bytes->data + bytes->length, (size_t)n + 1, fmt, again);
            bytes->length += (size_t)n;
        }
        bytes->data[bytes->length] = '\0'; /* nothing of a failed append stays */
    }
    va_end(again);
    va_end(args);
}

char *at_bytes_take(struct at_bytes *bytes, size_t *length_out) {
    char *data = NULL;
    size_t length = 0;
    if (at_bytes_reserve(bytes, 0)) { /* an empty buffer still gives a text */
        data = bytes->data;
        length = bytes->length;
        bytes->data = NULL;
    }
    at_bytes_clear(bytes);
    if (length_out) *length_out = length;
    return data;
}
