/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading JSON: the parser (json_quick.c, else simdjson behind json_simd.h) and the questions a value
 * answers. Called for every body and every stored document. A parser owns its tape, its copy of texts that
 * come without padding, and the work space of the error path; it keeps them from parse to parse, so a warm
 * one does not call malloc.
 */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include "base/hash.h"
#include "base/json_simd.h"
#include "base/utf8.h"

#define SMALLEST_CAPACITY ((size_t)4096)
#define KEPT_CAPACITY     ((size_t)1 << 20) /* a larger one is given back once texts are small again */
#define SATURATED_COUNT   0xFFFFFFU

struct at_json_parser {
    struct at_simd *simd;
    uint8_t *kinds; /* of at_json_find_fault */
    char *copy;     /* copy_size bytes, for texts without padding */
    size_t copy_size;
    size_t max_bytes, max_depth;
    size_t capacity; /* what simdjson's buffers are made for */
};

struct at_text at_json_padded(struct at_arena *arena, struct at_text text) {
    char *copy = at_arena_alloc(arena, text.length + AT_JSON_PADDING);
    if (!copy) return (struct at_text){NULL, 0};
    if (text.length) memcpy(copy, text.data, text.length);
    memset(copy + text.length, 0, AT_JSON_PADDING);
    return (struct at_text){copy, text.length};
}

struct at_json_parser *at_json_parser_new(size_t max_bytes, size_t max_depth) {
    struct at_json_parser *parser = calloc(1, sizeof(*parser));
    if (!parser) return NULL;
    parser->max_bytes = max_bytes;
    parser->max_depth = max_depth ? max_depth : 1;
    parser->simd = at_simd_new();
    parser->kinds = malloc(parser->max_depth / 8 + 1);
    if (parser->simd && parser->kinds) return parser;
    at_json_parser_free(parser);
    return NULL;
}

void at_json_parser_free(struct at_json_parser *parser) {
    if (!parser) return;
    at_simd_free(parser->simd);
    free(parser->kinds);
    free(parser->copy);
    free(parser);
}

/* ---- parsing ---- */

/* Doubling upwards; far too large a one goes back, so that a rare huge text does not hold its memory for
 * ever. */
static size_t fit_capacity(size_t capacity, size_t length) {
    bool is_wasteful = capacity > KEPT_CAPACITY && length < capacity / 16;
    if (capacity && length <= capacity && !is_wasteful) return capacity;
    size_t fitting = is_wasteful ? KEPT_CAPACITY / 16 : capacity * 2;
    if (fitting < SMALLEST_CAPACITY) fitting = SMALLEST_CAPACITY;
    return fitting < length ? length : fitting;
}

static const char *copy_padded(struct at_json_parser *parser, const char *text, size_t length) {
    size_t size = fit_capacity(parser->copy_size, length + AT_JSON_PADDING);
    if (size != parser->copy_size) {
        free(parser->copy); /* not realloc: what it holds is of no use any more */
        parser->copy = malloc(size);
        parser->copy_size = parser->copy ? size : 0;
        if (!parser->copy) return NULL;
    }
    if (length) memcpy(parser->copy, text, length);
    memset(parser->copy + length, 0, AT_JSON_PADDING);
    return parser->copy;
}

/* Whether containers nest deeper than limit, empty ones too. */
static bool is_deeper(const uint64_t *tape, size_t limit) {
    uint32_t end = (uint32_t)tape[0];
    size_t depth = 0;
    for (struct at_json v = {tape, NULL, 1}; v.at < end;) {
        char tag = at_json_tag(v);
        bool is_open = tag == '{' || tag == '[';
        if (is_open && ++depth > limit) return true;
        if (tag == '}' || tag == ']') depth--;
        v.at = is_open ? v.at + 1 : at_json_after(v);
    }
    return false;
}

/* simdjson with max_depth d takes d - 1 levels of full containers and an empty one within. So a text that
 * reaches the last level is refused by the first, usual parse, and looked at again with one level more and a
 * strict eye. */
static enum at_simd_result parse_text(struct at_json_parser *parser, const char *text, size_t length,
                                      struct at_json *root, const char **why) {
    size_t capacity = parser->capacity = fit_capacity(parser->capacity, length), depth = parser->max_depth;
    uint8_t *strings;
    uint64_t *tape = at_simd_buffers(parser->simd, capacity, depth, &strings);
    if (!tape) return AT_SIMD_NOMEM;
    *root = (struct at_json){tape, strings, 1};
    if (at_json_quick(text, length, depth, tape, strings)) return AT_SIMD_OK;
    enum at_simd_result result =
        at_simd_parse(parser->simd, text, length, capacity, depth, &root->tape, &root->strings, why);
    if (result != AT_SIMD_DEPTH) return result;
    result = at_simd_parse(parser->simd, text, length, capacity, depth + 1, &root->tape, &root->strings, why);
    if (result == AT_SIMD_OK && is_deeper(root->tape, depth)) return AT_SIMD_DEPTH;
    return result;
}

static enum at_status explain_fault(struct at_json_parser *parser, const char *text, size_t length,
                                    bool is_deep, const char *why, struct at_error *err) {
    struct at_json_fault fault = {0};
    size_t bad = 0;
    if (!at_utf8_valid(text, length, &bad))
        return at_fail(err, AT_INVALID, "bad_json",
                       "the JSON is wrong at byte %zu: it is not valid UTF-8 there", bad);
    bool is_found = at_json_find_fault(text, length, parser->max_depth, parser->kinds, &fault);
    if ((is_found && fault.is_too_deep) || (!is_found && is_deep))
        return at_fail(err, AT_TOOBIG, "too_deep", "the JSON nests deeper than %zu levels, at byte %zu",
                       parser->max_depth, fault.offset);
    if (!is_found) return at_fail(err, AT_INVALID, "bad_json", "the JSON is wrong: %s", why);
    return at_fail(err, AT_INVALID, "bad_json", "the JSON is wrong at byte %zu: %s", fault.offset,
                   fault.what);
}

enum at_status at_json_parse(struct at_json_parser *parser, const char *text, size_t length, bool is_padded,
                             struct at_json *root, struct at_error *err) {
    static const char NO_MEMORY[] = "out of memory while reading JSON of %zu bytes";
    const char *padded = text, *why = "";
    struct at_json value = {NULL, NULL, 0};
    *root = value;
    if (length > parser->max_bytes || length >= UINT32_MAX - AT_JSON_PADDING)
        return at_fail(err, AT_TOOBIG, "too_big", "the JSON has %zu bytes, the limit is %zu", length,
                       parser->max_bytes);
    if (!is_padded && !(padded = copy_padded(parser, text, length)))
        return at_fail(err, AT_NOMEM, NULL, NO_MEMORY, length);
    enum at_simd_result result = parse_text(parser, padded, length, &value, &why);
    if (result == AT_SIMD_NOMEM) return at_fail(err, AT_NOMEM, NULL, NO_MEMORY, length);
    if (result != AT_SIMD_OK) return explain_fault(parser, padded, length, result == AT_SIMD_DEPTH, why, err);
    *root = value;
    return AT_OK;
}

/* ---- values ---- */

enum at_json_type at_json_type(struct at_json v) {
    switch (at_json_tag(v)) {
    case 'n': return AT_JSON_NULL;
    case 't':
    case 'f': return AT_JSON_BOOL;
    case 'l':
    case 'u':
    case 'd': return AT_JSON_NUMBER;
    case '"': return AT_JSON_STRING;
    case '[': return AT_JSON_ARRAY;
    case '{': return AT_JSON_OBJECT;
    default: return AT_JSON_NONE;
    }
}

bool at_json_number(struct at_json v, double *out) {
    switch (at_json_tag(v)) {
    case 'd': memcpy(out, &v.tape[v.at + 1], sizeof(*out)); return true;
    case 'l': *out = (double)(int64_t)v.tape[v.at + 1]; return true;
    case 'u': *out = (double)v.tape[v.at + 1]; return true;
    default: return false;
    }
}

bool at_json_int(struct at_json v, int64_t *out) {
    char tag = at_json_tag(v);
    if (tag == 'l') {
        *out = (int64_t)v.tape[v.at + 1];
        return true;
    }
    double number;
    if (tag != 'd' || !at_json_number(v, &number)) return false; /* 'u' is always beyond int64 */
    if (!(number >= -0x1p63 && number < 0x1p63) || number != floor(number)) return false;
    *out = (int64_t)number;
    return true;
}

bool at_json_bool(struct at_json v, bool *out) {
    char tag = at_json_tag(v);
    if (tag != 't' && tag != 'f') return false;
    *out = tag == 't';
    return true;
}

/* Of the same length. Names are short: two words that overlap say as much as memcmp, without a call. */
static inline bool is_same(const uint8_t *a, const char *b, size_t length) {
    uint64_t first[2], last[2];
    uint32_t begin[2], end[2];
    if (length > 16) return memcmp(a, b, length) == 0;
    if (length >= 8) {
        memcpy(&first[0], a, 8);
        memcpy(&first[1], b, 8);
        memcpy(&last[0], a + length - 8, 8);
        memcpy(&last[1], b + length - 8, 8);
        return first[0] == first[1] && last[0] == last[1];
    }
    if (length >= 4) {
        memcpy(&begin[0], a, 4);
        memcpy(&begin[1], b, 4);
        memcpy(&end[0], a + length - 4, 4);
        memcpy(&end[1], b + length - 4, 4);
        return begin[0] == begin[1] && end[0] == end[1];
    }
    for (size_t i = 0; i < length; i++)
        if (a[i] != (uint8_t)b[i]) return false;
    return true;
}

/* By hand rather than by at_json_each: an event is asked for some forty names. */
struct at_json at_json_member(struct at_json object, const char *name, size_t length) {
    struct at_json found = {NULL, NULL, 0}, value = object;
    if (!at_json_is_object(object)) return found;
    uint32_t end = (uint32_t)object.tape[object.at] - 1, key_length;
    for (uint32_t at = object.at + 1; at < end; at = at_json_after(value)) {
        const uint8_t *key = object.strings + (object.tape[at] & 0xFFFFFFFFFFFFFFULL);
        memcpy(&key_length, key, 4);
        value.at = at + 1;
        if (key_length == length && is_same(key + 4, name, length)) found = value;
    }
    return found;
}

void at_json_members(struct at_json object, const struct at_text *names, uint32_t count,
                     struct at_json *out) {
    memset(out, 0, count * sizeof *out);
    if (!at_json_is_object(object)) return;
    struct at_json value = object;
    uint32_t end = (uint32_t)object.tape[object.at] - 1, length;
    for (uint32_t at = object.at + 1; at < end; at = at_json_after(value)) {
        const uint8_t *key = object.strings + (object.tape[at] & 0xFFFFFFFFFFFFFFULL);
        memcpy(&length, key, 4);
        value.at = at + 1;
        for (uint32_t i = 0; i < count; i++)
            if (names[i].length == length && is_same(key + 4, names[i].data, length)) out[i] = value;
    }
}

uint32_t at_json_count(struct at_json container) {
    if (!at_json_is_object(container) && !at_json_is_array(container)) return 0;
    uint32_t count = (uint32_t)(container.tape[container.at] >> 32) & SATURATED_COUNT;
    if (count < SATURATED_COUNT) return count;
    count = 0;
    struct at_json_each it = at_json_each(container);
    while (at_json_next(&it)) count++;
    return count;
}

/* A text is one word of the tape, so the next value is the next word. */
uint32_t at_json_texts(struct at_json list, struct at_text *texts, uint32_t most) {
    uint32_t count = 0;
    if (!at_json_is_array(list)) return 0;
    for (const uint64_t *word = list.tape + list.at + 1; count < most && *word >> 56 == '"'; word++) {
        const uint8_t *text = list.strings + (*word & 0xFFFFFFFFFFFFFFU);
        uint32_t length;
        memcpy(&length, text, sizeof length);
        texts[count++] = (struct at_text){(const char *)text + sizeof length, length};
    }
    return count;
}

/* ---- the whole of a value ---- */

/* Where the tape of v ends, and how far one step over a number goes. */
static bool has_second_word(uint64_t word) {
    char tag = (char)(word >> 56);
    return tag == 'l' || tag == 'u' || tag == 'd';
}

size_t at_json_most_bytes(struct at_json value) {
    size_t bytes = 0;
    if (!value.tape) return 4;
    uint32_t end = at_json_after(value);
    for (struct at_json v = value; v.at < end; v.at += has_second_word(v.tape[v.at]) ? 2 : 1)
        bytes += at_json_is_string(v) ? 6 * at_json_text(v).length + 3 : 26;
    return bytes;
}

uint64_t at_json_hash(struct at_json value, uint64_t seed) {
    uint64_t hash = at_mix64(seed + 1);
    if (!value.tape) return hash;
    uint32_t end = at_json_after(value);
    for (struct at_json v = value; v.at < end; v.at++) {
        uint64_t word = v.tape[v.at];
        struct at_text text = at_json_text(v);
        if (text.data)
            hash = at_hash64_seed(text.data, text.length, hash);
        else
            hash = at_mix64(hash ^ (word >> 56)); /* what a bracket's word holds is where the tape goes on */
        if (has_second_word(word)) hash = at_mix64(hash ^ v.tape[++v.at]);
    }
    return hash;
}
