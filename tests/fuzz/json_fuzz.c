/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes JSON: no text crashes a parse, a refusal names a byte, the readers agree, and what is accepted is
 * written as JSON that reads back the same. With -DAT_PLANT_FAULT a write past a buffer hides behind one key,
 * to test the fuzzing.
 */
// Covers: runtime/base/json.c runtime/base/json_quick.c runtime/base/json_check.c runtime/base/json_simd.cc
#include <stdlib.h>
#include <string.h>
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 2048 };

#ifdef AT_PLANT_FAULT
static void plant_fault(struct at_json root) {
    struct at_text type = at_json_text(at_json_get(root, "type"));
    if (type.length < 6 || type.data[0] != 't') return; /* the seeds say just "track" */
    volatile char *small = malloc(4);
    if (small) small[type.length] = 'x';
    free((void *)small);
}
#else
static void plant_fault(struct at_json root) {
    (void)root;
}
#endif

static void write_value(struct at_bytes *bytes, struct at_json value) {
    struct at_json_out out = at_json_out(bytes);
    at_bytes_init(bytes, (size_t)1 << 24);
    at_json_put_value(&out, value);
    AT_ASSERT(!bytes->failed);
}

/* The texts of a list at once are those of its values one by one. */
static void read_texts(struct at_json list) {
    struct at_text texts[3];
    struct at_json_each it = at_json_each(list);
    uint32_t count = at_json_texts(list, texts, 3), i = 0;
    while (at_json_is_array(list) && at_json_next(&it) && at_json_is_string(it.value) && i < 3) {
        AT_ASSERT(i < count && at_text_equal(texts[i], at_json_text(it.value)));
        i++;
    }
    AT_ASSERT(i == count);
}

/* Every reader on every value: they agree with each other and with the type. */
static void read_value(struct at_json value) {
    enum at_json_type type = at_json_type(value);
    double number = 0;
    int64_t whole;
    read_texts(value);
    bool is_number = at_json_number(value, &number), is_whole = at_json_int(value, &whole), truth;
    AT_ASSERT(is_number == (type == AT_JSON_NUMBER) && (!is_whole || (is_number && (double)whole == number)));
    AT_ASSERT(at_json_bool(value, &truth) == (type == AT_JSON_BOOL));
    AT_ASSERT((at_json_text(value).data != NULL) == (type == AT_JSON_STRING));
    uint32_t count = 0, last = 0;
    struct at_text first = {NULL, 0};
    struct at_json_each it = at_json_each(value);
    for (; at_json_next(&it); count++) {
        if (!count) first = it.key;
        if (at_text_equal(it.key, first)) last = it.value.at;
        read_value(it.value);
    }
    AT_ASSERT(count == at_json_count(value) && (!count || type == AT_JSON_OBJECT || type == AT_JSON_ARRAY));
    struct at_json member;
    at_json_members(value, &first, count > 0, &member);
    AT_ASSERT(!count || type != AT_JSON_OBJECT || member.at == last);
    if (type == AT_JSON_OBJECT && count && !memchr(first.data, 0, first.length))
        AT_ASSERT(at_json_get(value, first.data).at == last);
    AT_ASSERT(type == AT_JSON_OBJECT || !at_json_get(value, "a").tape);
}

static struct at_json_parser *parser, *again; /* again: what was written may be longer */
static struct at_arena arena;
static void clean_up(void) {
    at_arena_clear(&arena);
    at_json_parser_free(parser);
    at_json_parser_free(again);
}
static void set_up(void) {
    parser = at_json_parser_new(TEXT_MAX, 16);
    again = at_json_parser_new((size_t)1 << 20, 16);
    at_arena_init(&arena, (size_t)1 << 22);
    AT_ASSERT(parser && again && atexit(clean_up) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct at_json root;
    struct at_error err;
    if (!parser) set_up();
    enum at_status status = at_json_parse(parser, (const char *)data, size, false, &root, &err);
    if (status != AT_OK) {
        AT_ASSERT(status == AT_INVALID || status == AT_TOOBIG);
        AT_ASSERT(size > TEXT_MAX || strstr(err.message, "at byte"));
        return 0;
    }
    plant_fault(root);
    read_value(root);
    struct at_bytes first, second;
    write_value(&first, root);
    AT_ASSERT(first.length <= at_json_most_bytes(root));
    AT_ASSERT(at_json_parse(again, first.data, first.length, false, &root, &err) == AT_OK);
    uint64_t hash = at_json_hash(root, 7); /* of this text: 1e3 was written 1000, another kind of number */
    write_value(&second, root);
    at_arena_reset(&arena);
    struct at_text padded = at_json_padded(&arena, (struct at_text){second.data, second.length});
    AT_ASSERT(padded.data && at_json_parse(again, padded.data, padded.length, true, &root, &err) == AT_OK);
    AT_ASSERT(at_json_hash(root, 7) == hash);
    AT_ASSERT(first.length == second.length && !memcmp(first.data, second.data, first.length));
    at_bytes_clear(&first);
    at_bytes_clear(&second);
    return 0;
}
