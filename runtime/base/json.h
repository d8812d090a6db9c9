/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON in and out. Reading is simdjson's DOM behind one C++ shim (json.cc): a parse fills a flat tape that
 * the inline functions below walk without calls into C++. A document lives until its parser's next parse.
 * Writing appends to an at_bytes and puts the commas itself.
 *
 * Tape words: type byte in the top 8 bits, payload in the rest; containers hold the index past their end
 * (low 32 bits) and a saturated count (bits 32–55); numbers take two words; strings are an offset into
 * `strings`, a native 32-bit length followed by the bytes and a NUL. (simdjson doc/tape.md)
 */
#ifndef AT_BASE_JSON_H
#define AT_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/arena.h"
#include "base/bytes.h"

/* Bytes after a text that must be readable, whatever they hold. */
#define AT_JSON_PADDING 64

struct at_json_parser;
struct at_json { /* a value: pass by copy. tape == NULL: "no value" */
    const uint64_t *tape;
    const uint8_t *strings;
    uint32_t at;
};
enum at_json_type {
    AT_JSON_NONE,
    AT_JSON_NULL,
    AT_JSON_BOOL,
    AT_JSON_NUMBER,
    AT_JSON_STRING,
    AT_JSON_ARRAY,
    AT_JSON_OBJECT
};

/* One user at a time. max_bytes bounds a text, max_depth its nesting (the API uses 64). NULL: out of memory.
 */
struct at_json_parser *at_json_parser_new(size_t max_bytes, size_t max_depth);
void at_json_parser_free(struct at_json_parser *parser);
/* A copy that can be parsed where it is: AT_JSON_PADDING behind it. data NULL: out of memory. */
struct at_text at_json_padded(struct at_arena *arena, struct at_text text);
/* text must have AT_JSON_PADDING readable bytes behind it if is_padded, else it is copied.
 * AT_INVALID says what and at which byte (invalid UTF-8 too), AT_TOOBIG over max_bytes or depth, AT_NOMEM.
 * Integers beyond 64 bits are AT_INVALID; doubles that overflow too. */
enum at_status at_json_parse(struct at_json_parser *parser, const char *text, size_t length, bool is_padded,
                             struct at_json *root, struct at_error *err) AT_MUST_CHECK;

static inline char at_json_tag(struct at_json v) {
    return v.tape ? (char)(v.tape[v.at] >> 56) : 0;
}
enum at_json_type at_json_type(struct at_json v);
static inline bool at_json_is_object(struct at_json v) {
    return at_json_tag(v) == '{';
}
static inline bool at_json_is_array(struct at_json v) {
    return at_json_tag(v) == '[';
}
static inline bool at_json_is_string(struct at_json v) {
    return at_json_tag(v) == '"';
}
static inline bool at_json_is_null(struct at_json v) {
    return at_json_tag(v) == 'n';
}

/* Index of the value after v. */
static inline uint32_t at_json_after(struct at_json v) {
    uint64_t word = v.tape[v.at];
    char tag = (char)(word >> 56);
    if (tag == '{' || tag == '[') return (uint32_t)word;
    return v.at + (tag == 'l' || tag == 'u' || tag == 'd' ? 2 : 1);
}
/* The string's bytes, NUL-terminated, *length set; NULL (length 0) if v is not a string. */
static inline const char *at_json_string(struct at_json v, size_t *length) {
    uint32_t n = 0;
    if (at_json_tag(v) != '"') {
        *length = 0;
        return NULL;
    }
    const uint8_t *s = v.strings + (v.tape[v.at] & 0xFFFFFFFFFFFFFFULL);
    memcpy(&n, s, 4);
    *length = n;
    return (const char *)s + 4;
}
static inline struct at_text at_json_text(struct at_json v) {
    struct at_text t;
    t.data = at_json_string(v, &t.length);
    return t;
}
bool at_json_number(struct at_json v, double *out); /* false: not a number */
bool at_json_int(struct at_json v, int64_t *out);   /* false: not a whole number in int64 */
bool at_json_bool(struct at_json v, bool *out);
/* Last member of that name of an object (last wins), or no value. Linear. */
struct at_json at_json_member(struct at_json object, const char *name, size_t length);
static inline struct at_json at_json_get(struct at_json object, const char *name) {
    return at_json_member(object, name, strlen(name));
}
/* The members of these names, each as at_json_get would find it, in one pass over the object. */
void at_json_members(struct at_json object, const struct at_text *names, uint32_t count, struct at_json *out);
uint32_t at_json_count(struct at_json container);
/* The first texts of a list, up to what is no text or to `most` of them; how many. */
uint32_t at_json_texts(struct at_json list, struct at_text *texts, uint32_t most);
/* The bytes its text has at most, as at_json_put_value writes it: an estimate from above, quickly. */
size_t at_json_most_bytes(struct at_json value);
/* The same for equal values (members in the same order, numbers of the same kind), whatever the text's spaces
 * and escapes. Stored: never changes. */
uint64_t at_json_hash(struct at_json value, uint64_t seed);

/* struct at_json_each it = at_json_each(v); while (at_json_next(&it)) { it.key (objects), it.value } */
struct at_json_each {
    struct at_json value;
    struct at_text key;
    uint32_t next, end;
    bool is_object;
};
static inline struct at_json_each at_json_each(struct at_json container) {
    struct at_json_each it = {container, {NULL, 0}, 0, 0, at_json_is_object(container)};
    if (it.is_object || at_json_is_array(container)) {
        it.next = container.at + 1;
        it.end = (uint32_t)container.tape[container.at] - 1;
    }
    return it;
}
static inline bool at_json_next(struct at_json_each *it) {
    if (it->next >= it->end) return false;
    it->value.at = it->next;
    if (it->is_object) {
        it->key = at_json_text(it->value);
        it->value.at++;
    }
    it->next = at_json_after(it->value);
    return true;
}

/* ---- writing ---- */
struct at_json_out {
    struct at_bytes *bytes;
    bool needs_comma;
};
static inline struct at_json_out at_json_out(struct at_bytes *bytes) {
    return (struct at_json_out){bytes, false};
}
void at_json_open(struct at_json_out *out, char bracket);  /* '{' or '[' */
void at_json_close(struct at_json_out *out, char bracket); /* '}' or ']' */
void at_json_key_text(struct at_json_out *out, struct at_text name);
static inline void at_json_key(struct at_json_out *out, const char *name) {
    at_json_key_text(out, (struct at_text){name, strlen(name)});
}
void at_json_put_text(struct at_json_out *out,
                      struct at_text text); /* invalid UTF-8 becomes U+FFFD; data NULL: null */
void at_json_put_string(struct at_json_out *out, const char *nul_terminated);
void at_json_put_int(struct at_json_out *out, int64_t value);
void at_json_put_number(
    struct at_json_out *out,
    double value); /* shortest that reads back; whole numbers as 12, NaN and infinities as null */
/* To six decimals, for people: 0.123457. Otherwise as at_json_put_number. */
void at_json_put_rounded(struct at_json_out *out, double value);
void at_json_put_bool(struct at_json_out *out, bool value);
void at_json_put_null(struct at_json_out *out);
void at_json_put_time(struct at_json_out *out, int64_t ms);                     /* RFC 3339 */
void at_json_put_raw(struct at_json_out *out, const char *json, size_t length); /* trusted JSON text */
void at_json_put_value(struct at_json_out *out, struct at_json value);          /* a parsed value, minified */
/* Shorthands: key and value. Inline, for the length of a literal is known. */
static inline void at_json_add_string(struct at_json_out *out, const char *name, const char *value) {
    at_json_key(out, name);
    at_json_put_string(out, value);
}
static inline void at_json_add_text(struct at_json_out *out, const char *name, struct at_text value) {
    at_json_key(out, name);
    at_json_put_text(out, value);
}
static inline void at_json_add_int(struct at_json_out *out, const char *name, int64_t value) {
    at_json_key(out, name);
    at_json_put_int(out, value);
}
static inline void at_json_add_number(struct at_json_out *out, const char *name, double value) {
    at_json_key(out, name);
    at_json_put_number(out, value);
}
static inline void at_json_add_bool(struct at_json_out *out, const char *name, bool value) {
    at_json_key(out, name);
    at_json_put_bool(out, value);
}
static inline void at_json_add_time(struct at_json_out *out, const char *name, int64_t ms) {
    at_json_key(out, name);
    at_json_put_time(out, ms);
}
/* 0, which is no moment anywhere here: null. */
static inline void at_json_add_moment(struct at_json_out *out, const char *name, int64_t ms) {
    at_json_key(out, name);
    if (ms)
        at_json_put_time(out, ms);
    else
        at_json_put_null(out);
}

#endif
