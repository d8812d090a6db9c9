/* SPDX-License-Identifier: Apache-2.0
 *
 * Product feeds: which kind, rows good and bad with their lines, whatever the size of the pieces they come
 * in.
 */
#include "catalog_world.h"
#include "catalog/feed.h"

static char out[20000];

/* All a feed gives, one line a row: "LINE document" or "LINE ! message". */
static const char *read_feed(enum at_feed_kind kind, const struct at_root *root, const char *text,
                             size_t length, size_t piece) {
    struct at_feed *feed = at_feed_new(kind, root);
    struct at_bytes bytes;
    struct at_error err;
    assert_non_null(feed);
    at_bytes_init(&bytes, 1 << 22);
    for (size_t from = 0; from < length || from == 0; from += piece) {
        size_t n = length - from < piece ? length - from : piece;
        char *copy = malloc(n + 1); /* exactly that large, so that a sanitizer sees a read too far */
        memcpy(copy, text + from, n);
        assert_int_equal(at_feed_give(feed, copy, n, from + n >= length, &err), AT_OK);
        free(copy);
        struct at_json document;
        size_t line;
        for (;;) {
            memset(&err, 0, sizeof err);
            enum at_status status = at_feed_next(feed, &document, &line, &err);
            if (status == AT_NOTFOUND) break;
            struct at_json_out json = at_json_out(&bytes);
            at_bytes_printf(&bytes, "%zu ", line);
            if (status == AT_OK)
                at_json_put_value(&json, document);
            else
                at_bytes_printf(&bytes, "! %s", err.message);
            at_bytes_add_text(&bytes, "\n");
        }
    }
    snprintf(out, sizeof out, "%s", bytes.data ? bytes.data : "");
    at_bytes_clear(&bytes);
    at_feed_free(feed);
    return out;
}

static void expect(enum at_feed_kind kind, const struct at_root *root, const char *text, const char *rows) {
    static const size_t pieces[] = {1, 2, 3, 7, 64, 100000};
    for (size_t i = 0; i < AT_LENGTH(pieces); i++)
        assert_string_equal(read_feed(kind, root, text, strlen(text), pieces[i]), rows);
}

static void the_kind_is_told_by_name_or_first_bytes(void **state) {
    (void)state;
    static const struct {
        const char *name, *head;
        enum at_feed_kind kind;
    } cases[] = {{"a.jsonl", "", AT_FEED_JSON_LINES},
                 {"a.NDJSON", "", AT_FEED_JSON_LINES},
                 {"a.json", " [", AT_FEED_JSON_ARRAY},
                 {"a.json", "{\"id\":1}", AT_FEED_JSON_LINES},
                 {"a.csv", "", AT_FEED_CSV},
                 {"a.tsv", "", AT_FEED_CSV},
                 {NULL, "\xEF\xBB\xBF [", AT_FEED_JSON_ARRAY},
                 {NULL, "\n{", AT_FEED_JSON_LINES},
                 {NULL, "id,title\n1,2", AT_FEED_CSV}};
    enum at_feed_kind kind;
    struct at_error err;
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        assert_int_equal(at_feed_kind_of(cases[i].name, at_text_of(cases[i].head), &kind, &err), AT_OK);
        assert_int_equal(kind, cases[i].kind);
    }
    assert_int_equal(at_feed_kind_of("a.xlsx", AT_TEXT("PK"), &kind, &err), AT_UNSUPPORTED);
    assert_string_equal(err.message, "a.xlsx: not a kind of feed that is known; read are JSON lines (.jsonl, "
                                     ".ndjson), a JSON array (.json) and CSV (.csv, .tsv)");
    assert_int_equal(at_feed_kind_of(NULL, AT_TEXT("PK\x03\x04"), &kind, &err), AT_UNSUPPORTED);
    assert_int_equal(at_feed_kind_of(NULL, AT_TEXT(""), &kind, &err), AT_UNSUPPORTED);
}

static void lines_are_read_one_by_one(void **state) {
    (void)state;
    expect(AT_FEED_JSON_LINES, NULL,
           "\xEF\xBB\xBF{\"id\":\"A\"}\n\n  {\"id\":\"B\",\"t\":\"x\\ny\"} \r\n[1]\n{\"id\":\"C\"}",
           "1 {\"id\":\"A\"}\n3 {\"id\":\"B\",\"t\":\"x\\ny\"}\n4 ! a product must be a JSON object\n5 "
           "{\"id\":\"C\"}\n");
    expect(AT_FEED_JSON_LINES, NULL, "", "");
    expect(AT_FEED_JSON_LINES, NULL, "\n\n", "");
    const char *rows = read_feed(AT_FEED_JSON_LINES, NULL, "{\"id\":\n{\"id\":\"B\"}\n", 17, 5);
    assert_memory_equal(rows, "1 ! ", 4); /* the parser's own words follow */
    assert_non_null(strstr(rows, "\n2 {\"id\":\"B\"}\n"));
}

static void an_array_is_cut_at_its_commas(void **state) {
    (void)state;
    expect(AT_FEED_JSON_ARRAY, NULL, " [ ]", "");
    expect(AT_FEED_JSON_ARRAY, NULL, "\xEF\xBB\xBF[{\"id\":\"A,]\\\"\",\"l\":[1,{}]},\n\n {\"id\":\"B\"} ]\n",
           "1 {\"id\":\"A,]\\\"\",\"l\":[1,{}]}\n3 {\"id\":\"B\"}\n");
    expect(AT_FEED_JSON_ARRAY, NULL, "[{\"id\":\"A\"},7,{\"id\":\"B\"}]",
           "1 {\"id\":\"A\"}\n1 ! a product must be a JSON object\n1 {\"id\":\"B\"}\n");
    expect(AT_FEED_JSON_ARRAY, NULL, "[{\"id\":\"A\"},\n]",
           "1 {\"id\":\"A\"}\n2 ! there is nothing between two commas\n");
    expect(AT_FEED_JSON_ARRAY, NULL, "[{\"id\":\"A\"}\n",
           "1 ! the array ends in the middle: its \"]\" is missing\n");
    expect(AT_FEED_JSON_ARRAY, NULL, "[{\"id\":\"A\"}] x",
           "1 {\"id\":\"A\"}\n1 ! there is more behind the \"]\" that ends the array\n");
    expect(AT_FEED_JSON_ARRAY, NULL, "{\"id\":\"A\"}", "1 ! the feed does not begin with \"[\"\n");
    expect(AT_FEED_JSON_ARRAY, NULL, "", "1 ! the feed does not begin with \"[\"\n");
}

static void a_product_that_is_too_large_is_reported_and_skipped(void **state) {
    (void)state;
    size_t large = 3 << 20;
    for (int is_array = 0; is_array < 2; is_array++) {
        char *text = malloc(large + 100);
        size_t at =
            (size_t)sprintf(text, "%s{\"id\":\"A\"}%s\n{\"id\":\"", is_array ? "[" : "", is_array ? "," : "");
        memset(text + at, 'x', large);
        at += large;
        at += (size_t)sprintf(text + at, "\"}%s\n{\"id\":\"B\"}%s", is_array ? "," : "", is_array ? "]" : "");
        for (size_t piece = 60000; piece < at * 2; piece *= 100)
            assert_string_equal(
                read_feed(is_array ? AT_FEED_JSON_ARRAY : AT_FEED_JSON_LINES, NULL, text, at, piece),
                "1 {\"id\":\"A\"}\n2 ! the product is larger than 1024 KiB\n3 {\"id\":\"B\"}\n");
        free(text);
    }
}

static void csv_becomes_products(void **state) {
    (void)state;
    expect(
        AT_FEED_CSV, NULL,
        "id,title,price,stock,tags,vegan,size,weight\r\n007,\"Sofa, \"\"big\"\"\",19.99 "
        "EUR,3,new|sale,TRUE,1e2,\r\n\r\nB,Lamp,5,,\"a, b\",false,XL,007\r\n",
        "2 {\"id\":\"007\",\"title\":\"Sofa, "
        "\\\"big\\\"\",\"price\":19.99,\"stock\":3,\"tags\":[\"new\",\"sale\"],\"vegan\":true,\"size\":100}\n"
        "4 "
        "{\"id\":\"B\",\"title\":\"Lamp\",\"price\":5,\"tags\":[\"a\",\"b\"],\"vegan\":false,\"size\":\"XL\","
        "\"weight\":\"007\"}\n");
    expect(AT_FEED_CSV, NULL, "id;title\nA;1,5\n", "2 {\"id\":\"A\",\"title\":\"1,5\"}\n");
    expect(AT_FEED_CSV, NULL, "id\ttitle\tbrand\nA\t12\t34\n",
           "2 {\"id\":\"A\",\"title\":\"12\",\"brand\":\"34\"}\n");
    expect(AT_FEED_CSV, NULL, "id,title\nA\nB,x\nC,x,y\n",
           "2 ! the row has 1 cells, the header has 2\n3 {\"id\":\"B\",\"title\":\"x\"}\n4 ! the row has 3 "
           "cells, the header has 2\n");
    expect(AT_FEED_CSV, NULL, "id,title\nA,\"two\nlines\"\nC,x\n",
           "2 {\"id\":\"A\",\"title\":\"two\\nlines\"}\n4 {\"id\":\"C\",\"title\":\"x\"}\n");
    const char *rows = read_feed(AT_FEED_CSV, NULL, "id,title\nB,\xFF\nC,x\n", 17, 100);
    assert_memory_equal(rows, "2 ! ", 4); /* in the CSV reader's words */
    assert_non_null(strstr(rows, "UTF-8"));
    assert_non_null(strstr(rows, "\n3 {\"id\":\"C\",\"title\":\"x\"}\n"));
    expect(AT_FEED_CSV, NULL, "id,price\nA,cheap\n",
           "2 {\"id\":\"A\",\"price\":\"cheap\"}\n"); /* the catalog refuses it by name */
    expect(AT_FEED_CSV, NULL, "", "");
    expect(AT_FEED_CSV, NULL, "id,title\n", "");
}

static void csv_reads_columns_as_the_catalog_knows_them(void **state) {
    (void)state;
    struct world world;
    world_init(&world);
    assert_int_equal(
        world_put(&world, "{\"id\":\"A\",\"size\":\"M\",\"fits\":[\"x\"],\"vegan\":true,\"weight\":2}"),
        AT_OK);
    struct at_root *root = at_catalog_root(world.catalog);
    expect(AT_FEED_CSV, root, "id,size,fits,vegan,weight\nB,42,7;8,true,3\n",
           "2 {\"id\":\"B\",\"size\":\"42\",\"fits\":[\"7\",\"8\"],\"vegan\":true,\"weight\":3}\n");
    expect(AT_FEED_CSV, root, "id,fits\nB,one\n", "2 {\"id\":\"B\",\"fits\":[\"one\"]}\n");
    at_root_unref(root);
    world_clear(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kind_is_told_by_name_or_first_bytes),
        cmocka_unit_test(lines_are_read_one_by_one),
        cmocka_unit_test(an_array_is_cut_at_its_commas),
        cmocka_unit_test(a_product_that_is_too_large_is_reported_and_skipped),
        cmocka_unit_test(csv_becomes_products),
        cmocka_unit_test(csv_reads_columns_as_the_catalog_knows_them),
    };
    return cmocka_run_group_tests_name("catalog feeds", tests, NULL, NULL);
}
