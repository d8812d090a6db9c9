/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a request: headers by name, query parameters, percent-encoding.
 */
#include "net/message.h"

#include <string.h>
#include <strings.h>

struct at_text at_request_header(const struct at_request *request, const char *name) {
    size_t length = strlen(name);
    for (uint32_t i = 0; i < request->header_count; i++) {
        const struct at_header *header = &request->headers[i];
        if (header->name.length == length && strncasecmp(header->name.data, name, length) == 0)
            return header->value;
    }
    return (struct at_text){NULL, 0};
}

static int hex_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

enum at_status at_percent_decode(struct at_arena *arena, struct at_text in, bool plus_is_space,
                                 struct at_text *out) {
    char *text = at_arena_alloc(arena, in.length + 1);
    size_t n = 0;
    if (!text) return AT_NOMEM;
    for (size_t i = 0; i < in.length; i++) {
        char c = in.data[i];
        if (c == '%') {
            bool is_whole = in.length - i > 2;
            int high = is_whole ? hex_of(in.data[i + 1]) : -1, low = is_whole ? hex_of(in.data[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0) return AT_INVALID;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space)
            c = ' ';
        if (!c) return AT_INVALID;
        text[n++] = c;
    }
    text[n] = 0;
    *out = (struct at_text){text, n};
    return AT_OK;
}

struct at_text at_request_param(const struct at_request *request, const char *name) {
    const char *at = request->query.data, *end = at + request->query.length;
    struct at_text none = {NULL, 0};
    while (at && at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        if (!stop) stop = end;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        struct at_text key, value = {"", 0};
        struct at_text raw = {at, (size_t)((equals ? equals : stop) - at)};
        if (at_percent_decode(request->arena, raw, true, &key) == AT_OK && at_text_is(key, name)) {
            if (equals &&
                at_percent_decode(request->arena, (struct at_text){equals + 1, (size_t)(stop - equals - 1)},
                                  true, &value) != AT_OK)
                return none;
            return value;
        }
        at = stop + 1;
    }
    return none;
}
