/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON in and out: the conformance suite's verdicts, where a text is wrong, limits, and that what is written
 * reads back. Allocation is wrapped (base_json_test.ld) so that the n-th one can fail.
 */
#include <dirent.h>
#include <math.h>
#include "base_test.h"
#include "base/json.h"

/* ---- allocation that fails on demand ---- */

static long allocations_left = -1; /* -1: all succeed */

static bool may_allocate(void) {
    if (allocations_left < 0) return true;
    return allocations_left-- > 0;
}

#define WRAP(type, name, params, args)                                                                       \
    type __real_##name params;                                                                               \
    type __wrap_##name params;                                                                               \
    type __wrap_##name params {                                                                              \
        if (may_allocate()) return __real_##name args;                                                       \
        allocations_left = 0;                                                                                \
        return NULL;                                                                                         \
    }
WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, (void *old, size_t size), (old, size))
WRAP(void *, _ZnamRKSt9nothrow_t, (size_t size, const void *tag), (size, tag))
WRAP(void *, _ZnwmRKSt9nothrow_t, (size_t size, const void *tag), (size, tag))

/* ---- helpers ---- */

static struct at_json_parser *parser;

static int set_up(void **state) {
    (void)state;
    parser = at_json_parser_new((size_t)1 << 20, 64);
    return parser ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    at_json_parser_free(parser);
    return 0;
}

static struct at_json read_json(const char *text) {
    struct at_json root;
    struct at_error err = {0};
    enum at_status status = at_json_parse(parser, text, strlen(text), false, &root, &err);
    if (status != AT_OK) fail_msg("%s: %s", text, err.message);
    return root;
}

static void expect_wrong(const char *text, size_t length, enum at_status status, const char *part) {
    struct at_json root;
    struct at_error err = {0};
    enum at_status got = at_json_parse(parser, text, length, false, &root, &err);
    if (got != status || !strstr(err.message, part))
        fail_msg("%.60s: status %d, \"%s\"; wanted %d, \"%s\"", text, got, err.message, status, part);
    assert_null(root.tape);
}

static void check_written(struct at_json root, const char *wanted) {
    struct at_bytes bytes;
    at_bytes_init(&bytes, (size_t)1 << 24);
    struct at_json_out out = at_json_out(&bytes);
    at_json_put_value(&out, root);
    assert_false(bytes.failed);
    assert_string_equal(bytes.data, wanted);
    at_bytes_clear(&bytes);
}

/* ---- the conformance suite ---- */

static char *read_file(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*length + AT_JSON_PADDING);
    if (text && fread(text, 1, *length, file) != *length) *length = 0;
    if (text) memset(text + *length, '7', AT_JSON_PADDING); /* what stands behind must not matter */
    fclose(file);
    return text;
}

/* What was accepted must read the same once written, and a padded text must give the same verdict as a copy.
 */
static void check_round(struct at_json root) {
    struct at_bytes first, second;
    struct at_error err;
    at_bytes_init(&first, (size_t)1 << 24);
    at_bytes_init(&second, (size_t)1 << 24);
    struct at_json_out out = at_json_out(&first), again = at_json_out(&second);
    at_json_put_value(&out, root);
    assert_false(first.failed);
    assert_int_equal(at_json_parse(parser, first.data, first.length, false, &root, &err), AT_OK);
    at_json_put_value(&again, root);
    assert_string_equal(first.data, second.data);
    at_bytes_clear(&first);
    at_bytes_clear(&second);
}

static void check_file(const char *folder, const char *name, int counts[3]) {
    char path[1024];
    size_t length = 0;
    struct at_json root;
    struct at_error err = {0}, padded_err = {0};
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    char *text = read_file(path, &length);
    assert_non_null(text);
    enum at_status status = at_json_parse(parser, text, length, false, &root, &err);
    enum at_status padded = at_json_parse(parser, text, length, true, &root, &padded_err);
    if (status != padded || strcmp(err.message, padded_err.message))
        fail_msg("%s: a copy says \"%s\", padded \"%s\"", name, err.message, padded_err.message);
    bool is_located = status == AT_OK || strstr(err.message, "at byte");
    if (!is_located) fail_msg("%s: no place in \"%s\"", name, err.message);
    if (name[0] == 'y' && name[1] == '_' && status != AT_OK) fail_msg("%s refused: %s", name, err.message);
    if (name[0] == 'n' && name[1] == '_' && status == AT_OK) fail_msg("%s accepted", name);
    if (status == AT_OK) check_round(root);
    counts[name[0] == 'y' ? 0 : name[0] == 'n' ? 1 : 2]++;
    free(text);
}

static bool check_folder(const char *part, int counts[3]) {
    char folder[512];
    const char *data = getenv("SHARED_DATA");
    snprintf(folder, sizeof(folder), "%s/jsontestsuite/%s", data ? data : "../shared/data", part);
    DIR *dir = opendir(folder);
    if (!dir) return false;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strstr(entry->d_name, ".json")) check_file(folder, entry->d_name, counts);
    closedir(dir);
    return true;
}

static void test_suite_verdicts_hold(void **state) {
    (void)state;
    int parsing[3] = {0}, transform[3] = {0};
    if (!check_folder("test_parsing", parsing)) {
        print_message("skipped: no data\n");
        return;
    }
    assert_int_equal(parsing[0], 95);
    assert_int_equal(parsing[1], 188);
    assert_int_equal(parsing[2], 35);
    assert_true(check_folder("test_transform", transform));
    assert_int_equal(transform[0] + transform[1] + transform[2], 22);
}

/* ---- where it is wrong ---- */

#define WRONG(text, part) expect_wrong(text, sizeof(text) - 1, AT_INVALID, part)

static void test_errors_say_what_and_where(void **state) {
    (void)state;
    WRONG("", "at byte 0: the text ends");
    WRONG("  ", "at byte 2: the text ends");
    WRONG("{\"a\":1,}", "at byte 7: a key");
    WRONG("{\"a\" 1}", "at byte 5: a colon");
    WRONG("[1 2]", "at byte 3: a comma or ]");
    WRONG("[1,2", "at byte 4: the text ends");
    WRONG("{\"a\":tru}", "at byte 5: a value");
    WRONG("[01]", "at byte 1: a number may not");
    WRONG("[1.]", "at byte 3: a digit");
    WRONG("[1e]", "at byte 3: a digit");
    WRONG("1 x", "at byte 2: something follows");
    WRONG("[\"a\nb\"]", "at byte 3: a control");
    WRONG("[\"a\\q\"]", "at byte 3: there is no such escape");
    WRONG("[\"\\u12g4\"]", "at byte 2: \\u needs");
    WRONG("[\"\\uD834\"]", "at byte 2: half of a surrogate");
    WRONG("[\"\\uDD1E\"]", "at byte 2: half of a surrogate");
    WRONG("[\"abc]", "at byte 1: the string");
    WRONG("\"\0\"", "at byte 1: a control");
    WRONG("[18446744073709551616]", "at byte 1: this whole number");
    WRONG("[ -9223372036854775809]", "at byte 2: this whole number");
    WRONG("[1e309]", "at byte 1: this number is too large");
    WRONG("[0.5, 123456789e305]", "at byte 6: this number is too large");
}

static void test_invalid_utf8_says_the_byte(void **state) {
    (void)state;
    WRONG("[\"ab\xFF\"]", "at byte 4: it is not valid UTF-8");
    WRONG("[\"0123456789012345678901234567890123456789\xC3(\"]", "at byte 42: it is not valid UTF-8");
    WRONG("[\"\xED\xA0\x80\"]", "at byte 2");
    WRONG("[\"\xC0\x80\"]", "at byte 2");
    WRONG("[\"\xF4\x90\x80\x80\"]", "at byte 2");
    WRONG("\"\xE2\x82", "at byte 1");
}

/* ---- limits ---- */

static char *nested(size_t depth, const char *core) {
    size_t n = strlen(core);
    char *text = malloc(2 * depth + n + 1);
    assert_non_null(text);
    memset(text, '[', depth);
    memcpy(text + depth, core, n);
    memset(text + depth + n, ']', depth);
    text[2 * depth + n] = '\0';
    return text;
}

static void test_depth_is_bounded_exactly(void **state) {
    (void)state;
    static const char *const CORES[] = {"", "1", "{}", "{\"a\":2}"};
    for (size_t i = 0; i < 4; i++) {
        size_t own = i >= 2;
        char *fits = nested(64 - own, CORES[i]), *deep = nested(65 - own, CORES[i]);
        check_written(read_json(fits), fits);
        expect_wrong(deep, strlen(deep), AT_TOOBIG, "deeper than 64 levels, at byte 64");
        read_json("[[1]]"); /* and the parser serves on */
        free(fits);
        free(deep);
    }
    char *huge = nested(100000, "");
    expect_wrong(huge, 100000, AT_TOOBIG, "deeper than 64");
    free(huge);
}

static void test_size_is_bounded_exactly(void **state) {
    (void)state;
    struct at_json_parser *small = at_json_parser_new(8, 4);
    struct at_json root;
    struct at_error err;
    assert_non_null(small);
    assert_int_equal(at_json_parse(small, "[123456]", 8, false, &root, &err), AT_OK);
    assert_int_equal(at_json_parse(small, "[1234567]", 9, false, &root, &err), AT_TOOBIG);
    assert_non_null(strstr(err.message, "9 bytes, the limit is 8"));
    at_json_parser_free(small);
}

static void test_buffers_shrink_after_a_huge_text(void **state) {
    (void)state;
    struct at_json_parser *wide = at_json_parser_new((size_t)8 << 20, 8);
    size_t length = (size_t)4 << 20;
    char *text = malloc(length);
    struct at_json root;
    assert_non_null(text);
    memset(text, ' ', length);
    text[0] = '[';
    text[length - 1] = ']';
    for (int i = 0; i < 3; i++) {
        assert_int_equal(at_json_parse(wide, text, length, false, &root, NULL), AT_OK);
        assert_int_equal(at_json_parse(wide, "[1,[2]]", 7, false, &root, NULL), AT_OK);
        assert_int_equal(at_json_count(root), 2);
    }
    free(text);
    at_json_parser_free(wide);
}

/* ---- values ---- */

static void test_values_answer(void **state) {
    (void)state;
    struct at_json root =
        read_json("{\"a\":1,\"b\":[true,null,\"x\\u0000y\"],\"a\":2.0,\"u\":18446744073709551615,"
                  "\"d\":0.5,\"big\":1e300,\"neg\":-9223372036854775808}");
    int64_t whole = 0;
    double number = 0;
    bool flag = false;
    size_t length = 0;
    assert_int_equal(at_json_count(root), 7);
    assert_true(at_json_int(at_json_get(root, "a"), &whole)); /* the last one, and 2.0 is whole */
    assert_int_equal(whole, 2);
    assert_false(at_json_int(at_json_get(root, "u"), &whole));
    assert_false(at_json_int(at_json_get(root, "d"), &whole));
    assert_false(at_json_int(at_json_get(root, "big"), &whole));
    assert_true(at_json_int(at_json_get(root, "neg"), &whole));
    assert_true(whole == INT64_MIN);
    assert_true(at_json_number(at_json_get(root, "u"), &number));
    assert_true(number == 0x1p64);
    struct at_json list = at_json_get(root, "b");
    struct at_json_each it = at_json_each(list);
    assert_true(at_json_next(&it) && at_json_bool(it.value, &flag) && flag);
    assert_true(at_json_next(&it) && at_json_is_null(it.value) && !at_json_bool(it.value, &flag));
    assert_true(at_json_next(&it) && at_json_string(it.value, &length) && length == 3);
    assert_memory_equal(at_json_string(it.value, &length), "x\0y", 4);
    assert_false(at_json_next(&it));
    assert_int_equal(at_json_type(at_json_get(root, "none")), AT_JSON_NONE);
    assert_int_equal(at_json_type(at_json_get(list, "a")), AT_JSON_NONE);
    assert_int_equal(at_json_type(list), AT_JSON_ARRAY);
    assert_int_equal(at_json_count(at_json_get(root, "none")), 0);
    assert_false(at_json_number(list, &number));
}

/* Of every length, and told apart wherever they differ. */
static void test_members_are_found_by_all_of_their_name(void **state) {
    (void)state;
    for (size_t length = 0; length < 40; length++) {
        char name[41], text[64];
        memset(name, 'm', length);
        name[length] = 0;
        snprintf(text, sizeof text, "{\"%s\":%zu}", name, length);
        struct at_json root = read_json(text);
        int64_t whole = -1;
        assert_true(at_json_int(at_json_get(root, name), &whole));
        assert_int_equal(whole, length);
        for (size_t i = 0; i < length; i++) {
            name[i] = 'n';
            assert_int_equal(at_json_type(at_json_get(root, name)), AT_JSON_NONE);
            name[i] = 'm';
        }
        name[length] = 'm';
        assert_int_equal(at_json_type(at_json_member(root, name, length + 1)), AT_JSON_NONE);
    }
}

/* ---- writing ---- */

static void test_texts_of_a_list(void **state) {
    static const struct {
        const char *json;
        uint32_t most, count;
    } cases[] = {{"[\"a\",\"\",\"a longer\\ntext\"]", 3, 3},
                 {"[\"a\",\"b\",\"c\"]", 2, 2},
                 {"[\"a\",{\"id\":\"b\"},\"c\"]", 3, 1},
                 {"[[\"a\"]]", 3, 0},
                 {"[\"a\",1.5,\"c\"]", 3, 1},
                 {"[]", 3, 0},
                 {"{\"a\":\"b\"}", 3, 0},
                 {"\"a\"", 3, 0}};
    (void)state;
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        struct at_json list = read_json(cases[i].json);
        struct at_text texts[4] = {{NULL, 0}};
        assert_int_equal(at_json_texts(list, texts, cases[i].most), cases[i].count);
        struct at_json_each it = at_json_each(list);
        for (uint32_t k = 0; k < cases[i].count && at_json_next(&it); k++)
            assert_true(at_text_equal(texts[k], at_json_text(it.value)) && texts[k].data);
        assert_null(texts[cases[i].count].data);
    }
    assert_int_equal(at_json_texts((struct at_json){NULL, NULL, 0}, NULL, 3), 0);
}

static void test_writing_puts_commas_and_escapes(void **state) {
    (void)state;
    struct at_bytes bytes;
    at_bytes_init(&bytes, 4096);
    struct at_json_out out = at_json_out(&bytes);
    at_json_open(&out, '{');
    at_json_add_string(&out, "s", "a\"b\\c\n\x01/\x7F");
    at_json_add_text(&out, "t", (struct at_text){"\xC3\xA4\xFFz\xE2\x82", 6});
    at_json_add_string(&out, "none", NULL);
    at_json_add_int(&out, "i", INT64_MIN);
    at_json_add_number(&out, "n", 0.1);
    at_json_key(&out, "l");
    at_json_open(&out, '[');
    at_json_put_number(&out, 12.0);
    at_json_put_number(&out, -0.0);
    at_json_put_number(&out, NAN);
    at_json_put_number(&out, -INFINITY);
    at_json_open(&out, '[');
    at_json_close(&out, ']');
    at_json_put_bool(&out, false);
    at_json_close(&out, ']');
    at_json_add_bool(&out, "b", true);
    at_json_add_time(&out, "at", 0);
    at_json_close(&out, '}');
    assert_string_equal(bytes.data,
                        "{\"s\":\"a\\\"b\\\\c\\n\\u0001/\x7F\",\"t\":\"\xC3\xA4\xEF\xBF\xBDz\xEF\xBF\xBD"
                        "\xEF\xBF\xBD\",\"none\":null,\"i\":-9223372036854775808,\"n\":0.1,\"l\":[12,-0.0,"
                        "null,null,[],false],\"b\":true,\"at\":\"1970-01-01T00:00:00.000Z\"}");
    at_bytes_clear(&bytes);
}

static void test_a_full_buffer_is_told(void **state) {
    (void)state;
    for (size_t max = 0; max < 24; max++) {
        struct at_bytes bytes;
        at_bytes_init(&bytes, max);
        struct at_json_out out = at_json_out(&bytes);
        at_json_put_value(&out, read_json("{\"key\":[\"value\",12,0.5]}"));
        assert_int_equal(bytes.failed, max < 24);
        at_bytes_clear(&bytes);
    }
}

/* ---- properties ---- */

static double random_double(int i) {
    uint64_t bits = next_random();
    double value;
    if (i % 4 == 0) return (double)(int64_t)(bits >> (bits & 63));
    if (i % 4 == 1) return (double)(bits % 1000000000) / 100;
    if (i % 4 == 2) bits &= 0x800FFFFFFFFFFFFFU; /* subnormal */
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void check_double(struct at_bytes *bytes, double value) {
    at_bytes_reset(bytes);
    struct at_json_out out = at_json_out(bytes);
    at_json_put_number(&out, value);
    struct at_json root;
    double back = 1;
    assert_int_equal(at_json_parse(parser, bytes->data, bytes->length, false, &root, NULL), AT_OK);
    if (!isfinite(value)) {
        assert_true(at_json_is_null(root));
        return;
    }
    assert_true(at_json_number(root, &back));
    if (memcmp(&back, &value, sizeof(value))) fail_msg("%.17g was written as %s", value, bytes->data);
    /* shortest: no %.{n}g with fewer digits reads back */
    char shorter[40];
    size_t digits = 0;
    for (const char *p = bytes->data; *p && *p != 'e'; p++)
        digits += *p >= '0' && *p <= '9' && (digits || *p != '0');
    if (digits < 2 || digits > 17 || value == floor(value)) return;
    snprintf(shorter, sizeof(shorter), "%.*g", (int)digits - 1, value);
    if (strtod(shorter, NULL) == value) fail_msg("%s could be %s", bytes->data, shorter);
}

static void test_doubles_round_trip(void **state) {
    (void)state;
    enum { COUNT = 200000 };
    static const double EDGES[] = {0.0,
                                   -0.0,
                                   5e-324,
                                   2.2250738585072014e-308,
                                   1.7976931348623157e308,
                                   1e21,
                                   1e22,
                                   1e23,
                                   0x1p53,
                                   0x1p53 + 2,
                                   0x1p63,
                                   -0x1p63,
                                   0.1 + .2,
                                   1.0 / 3.0,
                                   123456.789,
                                   -1e-7,
                                   9007199254740991.0};
    struct at_bytes bytes;
    at_bytes_init(&bytes, 4096);
    for (size_t i = 0; i < AT_LENGTH(EDGES); i++) check_double(&bytes, EDGES[i]);
    seed_random(COUNT);
    for (int i = 0; i < COUNT; i++) check_double(&bytes, random_double(i));
    at_bytes_clear(&bytes);
}

static void test_any_bytes_are_written_as_valid_json(void **state) {
    (void)state;
    enum { COUNT = 20000 };
    seed_random(COUNT);
    for (int i = 0; i < COUNT; i++) {
        char raw[64];
        size_t length = next_random() % sizeof(raw);
        for (size_t k = 0; k < length; k++) raw[k] = (char)(i % 2 ? next_random() : next_random() % 128);
        struct at_bytes bytes;
        struct at_json root;
        at_bytes_init(&bytes, 4096);
        struct at_json_out out = at_json_out(&bytes);
        at_json_put_text(&out, (struct at_text){raw, length});
        assert_int_equal(at_json_parse(parser, bytes.data, bytes.length, false, &root, NULL), AT_OK);
        struct at_text back = at_json_text(root);
        if (i % 2 == 0) assert_true(at_text_equal(back, (struct at_text){raw, length}));
        at_bytes_clear(&bytes);
    }
}

/* Texts of JSON's own letters: every refusal names a place, and the scan that finds it agrees with simdjson.
 */
static void test_every_refusal_is_located(void **state) {
    (void)state;
    enum { COUNT = 200000 };
    static const char *const PIECES[] = {"[",       "]",    "{",    "}",  ",",       ":",
                                         "\"a\"",   "\"",   "1",    "-",  "0",       ".5",
                                         "e9",      "true", "nul",  " ",  "\\u00e4", "\\ud800",
                                         "\\udc00", "null", "\xC3", "\t", "1e400",   "99999999999"};
    seed_random(COUNT);
    for (int i = 0; i < COUNT; i++) {
        char text[128] = "";
        struct at_json root;
        struct at_error err = {0};
        for (size_t n = next_random() % 8; n; n--) strcat(text, PIECES[next_random() % AT_LENGTH(PIECES)]);
        enum at_status status = at_json_parse(parser, text, strlen(text), false, &root, &err);
        if (status != AT_OK && !strstr(err.message, "at byte"))
            fail_msg("no place: %s: %s", text, err.message);
    }
}

/* ---- out of memory ---- */

static enum at_status parse_with_failure(long n) {
    allocations_left = n;
    struct at_json_parser *fresh = at_json_parser_new(100000, 8);
    enum at_status status = AT_NOMEM;
    struct at_json root = {NULL, NULL, 0};
    char text[6000];
    memset(text, ' ', sizeof(text));
    memcpy(text, "[[[[[[[[1]]]]]]]]", 17);
    if (fresh) status = at_json_parse(fresh, "[1]", 3, false, &root, NULL);
    if (fresh && status == AT_OK) status = at_json_parse(fresh, text, sizeof(text), false, &root, NULL);
    allocations_left = -1;
    if (fresh && status == AT_NOMEM) { /* and the parser still works afterwards */
        assert_null(root.tape);
        assert_int_equal(at_json_parse(fresh, text, sizeof(text), false, &root, NULL), AT_OK);
    }
    at_json_parser_free(fresh);
    return status;
}

static void test_each_allocation_may_fail(void **state) {
    (void)state;
    long n = 0;
    for (enum at_status status; (status = parse_with_failure(n)) != AT_OK; n++) {
        assert_int_equal(status, AT_NOMEM);
        assert_true(n < 100);
    }
    assert_true(n >= 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suite_verdicts_hold),
        cmocka_unit_test(test_members_are_found_by_all_of_their_name),
        cmocka_unit_test(test_errors_say_what_and_where),
        cmocka_unit_test(test_invalid_utf8_says_the_byte),
        cmocka_unit_test(test_depth_is_bounded_exactly),
        cmocka_unit_test(test_size_is_bounded_exactly),
        cmocka_unit_test(test_buffers_shrink_after_a_huge_text),
        cmocka_unit_test(test_values_answer),
        cmocka_unit_test(test_texts_of_a_list),
        cmocka_unit_test(test_writing_puts_commas_and_escapes),
        cmocka_unit_test(test_a_full_buffer_is_told),
        cmocka_unit_test(test_doubles_round_trip),
        cmocka_unit_test(test_any_bytes_are_written_as_valid_json),
        cmocka_unit_test(test_every_refusal_is_located),
        cmocka_unit_test(test_each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
