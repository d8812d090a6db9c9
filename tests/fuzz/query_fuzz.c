/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes paths and queries: what is decoded equals what a second, plainer decoder says; a parameter that is
 * found decodes to what was sent for it. With -DAT_PLANT_FAULT a broken escape goes unnoticed.
 */
// Covers: runtime/net/message.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "net/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim) {
    if (!claim) abort();
}

/* False: not decodable. out has room for length + 1. */
static bool decode_plainly(const char *in, size_t length, bool plus, char *out, size_t *count) {
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    *count = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned c = (unsigned char)in[i];
        if (c == '+' && plus) c = ' ';
        if (c == '%') {
            if (i + 2 >= length || !in[i + 1] || !in[i + 2]) return false;
            const char *high = strchr(digits, in[i + 1]), *low = strchr(digits, in[i + 2]);
            if (!high || !low) return false;
            c = (unsigned)(high - digits) % 16 * 16 + (unsigned)(low - digits) % 16;
            i += 2;
        }
        if (!c) return false;
        out[(*count)++] = (char)c;
    }
    return true;
}

/* The first "limit" decides, whether its value is decodable or not. */
static void check_param(const struct at_request *request, char *scratch) {
    const char *at = request->query.data, *end = at + request->query.length;
    struct at_text found = at_request_param(request, "limit");
    while (at < end) {
        size_t length = 0, count;
        while (at + length < end && at[length] != '&') length++;
        const char *equals = memchr(at, '=', length);
        size_t key = equals ? (size_t)(equals - at) : length;
        if (decode_plainly(at, key, true, scratch, &count) && count == 5 &&
            memcmp(scratch, "limit", 5) == 0) {
            bool is_ok = decode_plainly(at + key + 1, equals ? length - key - 1 : 0, true, scratch, &count);
            require(is_ok == (found.data != NULL));
            require(!is_ok || (found.length == count && memcmp(found.data, scratch, count) == 0));
            return;
        }
        at += length + 1;
    }
    require(!found.data);
}

/* The text as a header's name: found in whatever case, and nothing else is. */
static void check_header(struct at_request *request) {
    static const char *const names[] = {"limit", "X-Key"};
    struct at_header header = {request->query, {"value", 5}};
    request->headers[0] = header;
    request->header_count = 1;
    for (size_t i = 0; i < AT_LENGTH(names); i++) {
        bool is_it = header.name.length == 5 && strncasecmp(header.name.data, names[i], 5) == 0;
        require((at_request_header(request, names[i]).data == header.value.data) == is_it);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct at_arena arena;
    static struct at_request request;
    if (!arena.max_bytes) at_arena_init(&arena, 1 << 24);
    at_arena_reset(&arena);
    char *in = malloc(size + 1), *scratch = malloc(size + 1);
    require(in && scratch);
    if (size) memcpy(in, data, size);
    for (int plus = 0; plus < 2; plus++) {
        struct at_text out = {NULL, 0};
        size_t count;
        bool is_ok = decode_plainly(in, size, plus, scratch, &count);
        enum at_status status = at_percent_decode(&arena, (struct at_text){in, size}, plus, &out);
#ifdef AT_PLANT_FAULT
        if (status == AT_INVALID && size > 4 && in[size - 1] == '%') status = AT_OK;
#endif
        require(is_ok == (status == AT_OK));
        require(!is_ok || (out.length == count && memcmp(out.data, scratch, count) == 0 && !out.data[count]));
    }
    request.query = (struct at_text){in, size};
    request.arena = &arena;
    check_param(&request, scratch);
    check_header(&request);
    free(in);
    free(scratch);
    return 0;
}
