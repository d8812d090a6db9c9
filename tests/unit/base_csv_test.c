/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV: RFC 4180's cases, bad and too large records, and that the pieces a text comes in never matter.
 */
#include "base_test.h"
#include "base_fail_malloc.h"
#include "base/bytes.h"
#include "base/csv.h"

/* ---- helpers ---- */

/* What a reader makes of a text, as one line a record: "line:[field][field]", "line!status". */
static void describe_next(struct at_csv *csv, struct at_bytes *out) {
    const struct at_text *fields;
    size_t count, line = 0;
    struct at_error err = {0};
    for (;;) {
        enum at_status status = at_csv_next(csv, &fields, &count, &line, &err);
        if (status == AT_NOTFOUND) return;
        at_bytes_printf(out, "%zu", line);
        if (status != AT_OK) {
            assert_true(err.message[0] != '\0');
            at_bytes_printf(out, "!%s", at_status_word(status));
        } else {
            at_bytes_add(out, ":", 1);
        }
        for (size_t i = 0; i < count; i++) {
            at_bytes_add(out, "[", 1);
            at_bytes_add(out, fields[i].data, fields[i].length);
            at_bytes_add(out, "]", 1);
        }
        at_bytes_add(out, "\n", 1);
    }
}

/* piece 0: pieces of random size. */
static char *describe(const char *text, size_t length, size_t piece, size_t max_record) {
    struct at_csv *csv = at_csv_new(',', max_record, 5);
    struct at_bytes out;
    at_bytes_init(&out, (size_t)1 << 20);
    assert_non_null(csv);
    size_t at = 0;
    do {
        size_t n = piece ? piece : next_random() % 7;
        if (n > length - at) n = length - at;
        assert_int_equal(at_csv_feed(csv, text + at, n, at + n == length), AT_OK);
        at += n;
        describe_next(csv, &out);
        if (at == length) break;
    } while (true);
    /* an empty last piece may be what ends it */
    if (piece == 0 || length == 0) describe_next(csv, &out);
    at_csv_free(csv);
    return at_bytes_take(&out, NULL);
}

static void expect_records(const char *text, size_t length, const char *wanted) {
    for (size_t piece = 1; piece <= length + 1; piece++) {
        char *got = describe(text, length, piece, 40);
        assert_string_equal(got, wanted);
        free(got);
    }
}
#define RECORDS(text, wanted) expect_records(text, sizeof(text) - 1, wanted)

static void test_rfc_4180(void **state) {
    (void)state;
    RECORDS("", "");
    RECORDS("a,b,c\r\n1,2,3\r\n", "1:[a][b][c]\n2:[1][2][3]\n");
    RECORDS("a,b\n1,2", "1:[a][b]\n2:[1][2]\n");
    RECORDS(",\n,,", "1:[][]\n2:[][][]\n");
    RECORDS("\"a\",\"b,c\",\"d\"\"e\"\r\n", "1:[a][b,c][d\"e]\n");
    RECORDS("\"\",\"\"\"\"\n", "1:[][\"]\n");
    RECORDS("\"two\nlines\r\n\",x\ny\n", "1:[two\nlines\r\n][x]\n4:[y]\n");
    RECORDS("\xEF\xBB\xBF"
            "a,b\n",
            "1:[a][b]\n");
    RECORDS("\xEF\xBB\xBF"
            "\"a\"\n",
            "1:[a]\n");
    RECORDS("\xEF\xBB\xBF", "");
    RECORDS("\n\r\na\n\n b \n", "3:[a]\n5:[ b ]\n");
    RECORDS("5\" screen,a\"b\"\n", "1:[5\" screen][a\"b\"]\n");
    RECORDS("a\rb\r\nc\r", "1:[a\rb]\n2:[c]\n");
    RECORDS("\"a\"\r\n\"b\"\r", "1:[a]\n2:[b]\n");
}

static void test_bad_records_are_told_and_passed_over(void **state) {
    (void)state;
    RECORDS("a\n\"b\"x,c\nd\n", "1:[a]\n2!invalid\n3:[d]\n");
    RECORDS("\"a\" \nb\n", "1!invalid\n2:[b]\n");
    RECORDS("\"a\"\rb\nc\n", "1!invalid\n2:[c]\n");
    RECORDS("a\n\"open\nb\n", "1:[a]\n2!invalid\n");
    RECORDS("a,\xFF\nb\n", "1!invalid\n2:[b]\n");
    RECORDS("a,\0z\nb\n", "1!invalid\n2:[b]\n");
    RECORDS("1,2,3,4,5\n1,2,3,4,5,6\nb\n", "1:[1][2][3][4][5]\n2!too_big\n3:[b]\n");
}

static void test_records_over_the_limit_are_passed_over_whole(void **state) {
    (void)state;
    static const char FORTY[] = "0123456789012345678901234567890123456789";
    char text[400];
    int n = snprintf(text, sizeof(text), "%s\r\n%s0\nb\n\"%s\nfake,record\n\",x\nc\n%s%s", FORTY, FORTY,
                     FORTY, FORTY, FORTY);
    char wanted[200];
    snprintf(wanted, sizeof(wanted), "1:[%s]\n2!too_big\n3:[b]\n4!too_big\n7:[c]\n8!too_big\n", FORTY);
    expect_records(text, (size_t)n, wanted);
}

static void test_an_endless_record_takes_bounded_memory(void **state) {
    (void)state;
    struct at_csv *csv = at_csv_new(',', 1000, 5);
    const struct at_text *fields;
    size_t count, line = 0, reports = 0;
    char piece[256];
    assert_non_null(csv);
    memset(piece, 'x', sizeof(piece));
    for (int i = 0; i < 100; i++) {
        if (i == 50) allocations_left = 0; /* all the room it needs is there by now */
        assert_int_equal(at_csv_feed(csv, piece, sizeof(piece), false), AT_OK);
        enum at_status status;
        while ((status = at_csv_next(csv, &fields, &count, &line, NULL)) != AT_NOTFOUND) {
            assert_int_equal(status, AT_TOOBIG);
            assert_int_equal(line, 1);
            reports++;
        }
    }
    allocations_left = -1;
    assert_int_equal(reports, 1);
    at_csv_free(csv);
}

static void test_out_of_memory_is_told_and_can_be_tried_again(void **state) {
    (void)state;
    const struct at_text *fields;
    size_t count, line;
    allocations_left = 0;
    assert_null(at_csv_new(',', 10, 10));
    allocations_left = -1;
    struct at_csv *csv = at_csv_new(';', 10, 10);
    assert_non_null(csv);
    allocations_left = 0;
    assert_int_equal(at_csv_feed(csv, "a;b", 3, true), AT_NOMEM);
    allocations_left = -1;
    assert_int_equal(at_csv_feed(csv, "a;b", 3, true), AT_OK);
    assert_int_equal(at_csv_next(csv, &fields, &count, &line, NULL), AT_OK);
    assert_int_equal(count, 2);
    assert_true(at_text_is(fields[1], "b"));
    assert_int_equal(at_csv_feed(csv, "more", 4, true), AT_INVALID);
    at_csv_free(csv);
}

/* Whatever the text and wherever it is cut: the same records. */
static void test_pieces_never_matter(void **state) {
    (void)state;
    enum { COUNT = 20000 };
    static const char LETTERS[] = "\"\"\",,\n\n\r\rab\xC3\xA4\xEF\xBB\xBF";
    seed_random(COUNT);
    for (int i = 0; i < COUNT; i++) {
        char text[64];
        size_t length = next_random() % sizeof(text);
        for (size_t k = 0; k < length; k++) text[k] = LETTERS[next_random() % (sizeof(LETTERS) - 1)];
        char *whole = describe(text, length, 64, 20), *pieces = describe(text, length, 0, 20);
        if (strcmp(whole, pieces)) fail_msg("case %d: whole\n%s\npieces\n%s", i, whole, pieces);
        free(whole);
        free(pieces);
    }
}

static size_t write_field(char *out, const char *field, size_t length) {
    char *p = out;
    *p++ = '"';
    for (size_t i = 0; i < length; i++) {
        if (field[i] == '"') *p++ = '"';
        *p++ = field[i];
    }
    *p++ = '"';
    return (size_t)(p - out);
}

static void test_what_is_written_quoted_reads_back(void **state) {
    (void)state;
    enum { COUNT = 20000 };
    seed_random(COUNT);
    for (int i = 0; i < COUNT; i++) {
        char values[3][20], text[200];
        size_t lengths[3], at = 0, count, line;
        for (size_t f = 0; f < 3; f++) {
            lengths[f] = next_random() % sizeof(values[f]);
            for (size_t k = 0; k < lengths[f]; k++) values[f][k] = "\"\",\n\rab\x7F"[next_random() % 8];
            if (f) text[at++] = ',';
            at += write_field(text + at, values[f], lengths[f]);
        }
        struct at_csv *csv = at_csv_new(',', 200, 3);
        const struct at_text *fields;
        assert_int_equal(at_csv_feed(csv, text, at, true), AT_OK);
        assert_int_equal(at_csv_next(csv, &fields, &count, &line, NULL), AT_OK);
        assert_int_equal(count, 3);
        for (size_t f = 0; f < 3; f++)
            assert_true(at_text_equal(fields[f], (struct at_text){values[f], lengths[f]}));
        assert_int_equal(at_csv_next(csv, &fields, &count, &line, NULL), AT_NOTFOUND);
        at_csv_free(csv);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_4180),
        cmocka_unit_test(test_bad_records_are_told_and_passed_over),
        cmocka_unit_test(test_records_over_the_limit_are_passed_over_whole),
        cmocka_unit_test(test_an_endless_record_takes_bounded_memory),
        cmocka_unit_test(test_out_of_memory_is_told_and_can_be_tried_again),
        cmocka_unit_test(test_pieces_never_matter),
        cmocka_unit_test(test_what_is_written_quoted_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
