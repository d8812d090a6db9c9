/* SPDX-License-Identifier: Apache-2.0
 *
 * Out of memory at every single allocation of a change, a declaration, counted features, a feed and start-up:
 * the answer is AT_NOMEM, the current version is untouched, and the catalog works afterwards.
 */
#include "base_fail_malloc.h"
#include "catalog_world.h"
#include "catalog/feed.h"
#include "catalog/where.h"

static struct at_account account = {"catalog", SIZE_MAX, 0};
static struct world world;

static void begin(void) {
    struct at_catalog_options options = {&account};
    world_init(&world);
    at_catalog_free(world.catalog);
    assert_int_equal(at_catalog_new(&world.catalog, &options, NULL), AT_OK);
    char text[200];
    for (int i = 0; i < 60; i++) {
        snprintf(text, sizeof text,
                 "{\"id\":\"P%d\",\"price\":%d,\"stock\":3,\"brand\":\"b%d\",\"tags\":[\"t%d\",\"all\"]}", i,
                 i, i % 5, i % 3);
        assert_int_equal(world_put(&world, text), AT_OK);
    }
    at_arena_clear(&world.arena);
}

static void end(void) {
    world_clear(&world);
    assert_int_equal(at_account_used(&account), 0);
}

static void check_untouched(const struct at_root *before, bool is_same) {
    struct at_root *now = at_catalog_root(world.catalog);
    if (is_same) assert_ptr_equal(before, now);
    assert_int_equal(at_root_live(before), 60);
    assert_int_equal(row_of(before, "NEW"), AT_ROW_NONE);
    assert_int_equal(attribute_of(before, "colour"), -1);
    assert_true(number_of(before, "P7", "stock") == 3);
    assert_true(at_root_is_live(before, 9));
    assert_int_equal(at_root_code_of(before, attribute_of(before, "brand"), "other", 5), 0);
    at_root_unref(now);
}

/* Everything a staging can do, in one. */
static enum at_status change_all(struct at_json_parser *parsers[3]) {
    static const char *const texts[3] = {
        "{\"id\":\"NEW\",\"price\":1,\"cost\":1,\"colour\":\"red\",\"rooms\":[\"a\",\"b\"],\"brand\":"
        "\"other\",\"tags\":[\"x\",\"y\",\"all\"],"
        "\"sku\":\"a stock keeping unit with a long "
        "name\",\"variants\":[{\"id\":\"V1\",\"size\":\"S\"},{\"id\":\"V2\",\"size\":\"M\"}]}",
        "{\"id\":\"P7\",\"stock\":{\"add\":4},\"o\":{\"p\":1}}", "{\"id\":\"P8\",\"price\":\"cheap\"}"};
    struct at_change changes[4] = {{.kind = AT_CHANGE_PUT},
                                   {.kind = AT_CHANGE_PATCH},
                                   {.kind = AT_CHANGE_PUT},
                                   {.kind = AT_CHANGE_RETIRE, .id = AT_TEXT("P9")}};
    for (int i = 0; i < 3; i++) {
        enum at_status status =
            at_json_parse(parsers[i], texts[i], strlen(texts[i]), false, &changes[i].document, NULL);
        if (status != AT_OK) return status;
    }
    struct at_staging *staging;
    struct at_json none = {0};
    enum at_status status = at_catalog_stage(world.catalog, &world.arena, changes, 4, &staging, NULL);
    if (status != AT_OK) return status;
    assert_int_equal(changes[2].status, AT_INVALID);
    status = at_staging_restore(staging, 3000, AT_TEXT("FAR"), 5, true, none);
    if (status == AT_OK) return at_staging_publish(staging);
    at_staging_cancel(staging);
    return status;
}

static void a_change_is_whole_or_not_there(void **state) {
    (void)state;
    struct at_json_parser *parsers[3];
    long n = 0;
    for (int i = 0; i < 3; i++) parsers[i] = at_json_parser_new(10000, 10);
    for (bool is_through = false; !is_through; n++) {
        begin();
        struct at_root *before = at_catalog_root(world.catalog);
        has_failed = false;
        allocations_left = n;
        enum at_status status = change_all(parsers);
        allocations_left = -1;
        is_through = !has_failed;
        assert_int_equal(status, is_through ? AT_OK : AT_NOMEM);
        check_untouched(before, !is_through);
        if (!is_through)
            assert_int_equal(change_all(parsers),
                             AT_OK); /* the turn is free, and what was staged is no obstacle */
        struct at_root *after = at_catalog_root(world.catalog);
        assert_true(number_of(after, "P7", "stock") == 7);
        assert_int_equal(row_of(after, "V2"), 60);
        assert_int_equal(row_of(after, "a stock keeping unit with a long name"), 60);
        assert_string_equal(text_of(after, "NEW", "colour"), "red");
        assert_false(at_root_is_live(after, row_of(after, "P9")));
        assert_int_equal(at_root_rows(after), 3001);
        assert_int_equal(row_of(after, "FAR"), 3000);
        assert_null(at_root_id(after, 100).data);
        at_root_unref(before);
        at_root_unref(after);
        end();
    }
    for (int i = 0; i < 3; i++) at_json_parser_free(parsers[i]);
    print_message("%ld allocations\n", n - 1);
    assert_true(n > 30);
}

static void a_declaration_or_feature_is_whole_or_not_there(void **state) {
    (void)state;
    static float values[3000] = {1, 2, 3};
    const float *given[AT_COUNTED_COUNT] = {values, NULL, values};
    for (int what = 0; what < 3; what++) {
        bool is_through = false;
        for (long n = 0; !is_through; n++) {
            begin();
            struct at_root *before = at_catalog_root(world.catalog);
            enum at_status status;
            has_failed = false;
            allocations_left = n;
            if (what == 0)
                status = at_catalog_publish_counted(world.catalog, given, 3000);
            else
                status = at_catalog_declare(world.catalog, "colour", what == 1 ? "list" : "number", NULL);
            allocations_left = -1;
            is_through = !has_failed;
            assert_int_equal(status, is_through ? AT_OK : AT_NOMEM);
            check_untouched(before, !is_through);
            at_root_unref(before);
            assert_int_equal(world_patch(&world, "{\"id\":\"P1\",\"stock\":9}"), AT_OK);
            end();
        }
    }
}

static void a_catalog_is_made_or_not(void **state) {
    (void)state;
    struct at_catalog_options options = {&account};
    bool is_through = false;
    for (long n = 0; !is_through; n++) {
        struct at_catalog *catalog;
        has_failed = false;
        allocations_left = n;
        enum at_status status = at_catalog_new(&catalog, &options, NULL);
        allocations_left = -1;
        is_through = !has_failed;
        assert_int_equal(status, is_through ? AT_OK : AT_NOMEM);
        assert_int_equal(catalog != NULL, is_through);
        at_catalog_free(catalog);
        assert_int_equal(at_account_used(&account), 0);
    }
}

static enum at_status read_feed(const char *text, enum at_feed_kind kind, int *rows) {
    struct at_json document;
    size_t line;
    struct at_feed *feed = at_feed_new(kind, NULL);
    if (!feed) return AT_NOMEM;
    enum at_status status = at_feed_give(feed, text, strlen(text), true, NULL);
    while (status == AT_OK) {
        status = at_feed_next(feed, &document, &line, NULL);
        *rows += status == AT_OK;
    }
    at_feed_free(feed);
    return status;
}

static void a_feed_says_so_and_a_filter_too(void **state) {
    (void)state;
    static const char *const texts[] = {"{\"id\":\"A\"}\n{\"id\":\"B\"}\n", "[{\"id\":\"A\"},{\"id\":\"B\"}]",
                                        "id,tags\nA,x|y\nB,z\n"};
    for (int kind = 0; kind < 3; kind++) {
        bool is_through = false;
        for (long n = 0; !is_through; n++) {
            int rows = 0;
            has_failed = false;
            allocations_left = n;
            enum at_status status = read_feed(texts[kind], (enum at_feed_kind)kind, &rows);
            allocations_left = -1;
            is_through = !has_failed;
            assert_int_equal(status, is_through ? AT_NOTFOUND : AT_NOMEM);
            if (is_through) assert_int_equal(rows, 2);
        }
    }
    begin();
    struct at_root *root = at_catalog_root(world.catalog);
    struct at_json json = world_json(&world, "{\"brand\":[\"b1\",\"b2\"],\"price\":{\"above\":1}}");
    bool is_through = false;
    for (long n = 0; !is_through; n++) {
        struct at_arena arena;
        struct at_where *where;
        at_arena_init(&arena, 1 << 20);
        has_failed = false;
        allocations_left = n;
        enum at_status status = at_where_parse(root, &arena, json, &where, NULL);
        allocations_left = -1;
        is_through = !has_failed;
        assert_int_equal(status, is_through ? AT_OK : AT_NOMEM);
        at_arena_clear(&arena);
    }
    at_root_unref(root);
    end();
}

int main(void) {
    fails_once = true;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_whole_or_not_there),
        cmocka_unit_test(a_declaration_or_feature_is_whole_or_not_there),
        cmocka_unit_test(a_catalog_is_made_or_not),
        cmocka_unit_test(a_feed_says_so_and_a_filter_too),
    };
    return cmocka_run_group_tests_name("catalog allocation failures", tests, NULL, NULL);
}
