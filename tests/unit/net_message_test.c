/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a request's headers and parameters, without a socket.
 */
#include "base_test.h"
#include "net/message.h"

static struct at_arena arena;

static void expect_param(const char *query, const char *name, const char *wanted) {
    static struct at_request request;
    request.query = at_text_of(query);
    request.arena = &arena;
    struct at_text value = at_request_param(&request, name);
    if (!wanted)
        assert_null(value.data);
    else
        assert_string_equal(value.data, wanted);
    if (wanted) assert_int_equal(value.length, strlen(wanted));
}

static void parameters_are_found_and_decoded(void **state) {
    (void)state;
    expect_param("limit=10&sort=price", "limit", "10");
    expect_param("limit=10&sort=price", "sort", "price");
    expect_param("limit=1&limit=2", "limit", "1");
    expect_param("a=b+c%20d%2B", "a", "b c d+");
    expect_param("li%6Dit=%C3%A9", "limit", "\xC3\xA9");
    expect_param("limit", "limit", "");
    expect_param("limit=&x", "limit", "");
    expect_param("&&limit=a=b&", "limit", "a=b");
    expect_param("xlimit=1&limi=2&limits=3", "limit", NULL);
    expect_param("limit=%zz", "limit", NULL);
    expect_param("limit=%00", "limit", NULL);
    expect_param("limit=%4", "limit", NULL);
    expect_param("", "limit", NULL);
}

static void headers_are_found_in_any_case(void **state) {
    static struct at_request request;
    (void)state;
    request.headers[0] = (struct at_header){AT_TEXT("Content-Type"), AT_TEXT("a")};
    request.headers[1] = (struct at_header){AT_TEXT("content-type"), AT_TEXT("b")};
    request.header_count = 2;
    assert_true(at_text_is(at_request_header(&request, "CONTENT-type"), "a"));
    assert_null(at_request_header(&request, "content").data);
    assert_null(at_request_header(&request, "content-types").data);
}

static void what_was_encoded_is_decoded(void **state) {
    enum { CASES = 5000 };
    (void)state;
    seed_random(CASES);
    for (int i = 0; i < CASES; i++) {
        char text[60], encoded[200];
        size_t length = next_random() % sizeof text, at = 0;
        for (size_t j = 0; j < length; j++) {
            text[j] = (char)(1 + next_random() % 255);
            bool is_plain = next_random() % 2 && text[j] != '%' && text[j] != '+';
            if (is_plain)
                encoded[at++] = text[j];
            else
                at += (size_t)snprintf(encoded + at, 4, next_random() % 2 ? "%%%02x" : "%%%02X",
                                       (unsigned char)text[j]);
        }
        struct at_text out;
        assert_int_equal(at_percent_decode(&arena, (struct at_text){encoded, at}, next_random() % 2, &out),
                         AT_OK);
        assert_int_equal(out.length, length);
        if (length) assert_memory_equal(out.data, text, length);
        assert_int_equal(out.data[length], 0);
        at_arena_reset(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_found_and_decoded),
        cmocka_unit_test(headers_are_found_in_any_case),
        cmocka_unit_test(what_was_encoded_is_decoded),
    };
    at_arena_init(&arena, 1 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    at_arena_clear(&arena);
    return failed;
}
