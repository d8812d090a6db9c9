/* SPDX-License-Identifier: Apache-2.0
 *
 * Each rule of a catalog change, with the message a merchant reads when it is broken.
 */
#include "catalog_world.h"

ONE_WORLD

static void refuse(enum at_change_kind kind, const char *id, const char *text, enum at_status status,
                   const char *message) {
    struct at_root *before = at_catalog_root(world.catalog);
    assert_int_equal(world_change(&world, kind, id, text), status);
    assert_string_equal(world.change.error.message, message);
    struct at_root *after = at_catalog_root(world.catalog);
    assert_ptr_equal(before, after); /* nothing was published */
    at_root_unref(before);
    at_root_unref(after);
}

static void a_product_is_put_and_read(void **state) {
    (void)state;
    assert_int_equal(
        world_put(&world,
                  "{\"id\":\"A\",\"title\":\"Sofa\",\"price\":80,\"cost\":20,\"list_price\":100,\"stock\":3,"
                  "\"category\":\"sofas\",\"tags\":[\"new\",\"sale\",\"new\"],\"vegan\":true,\"released\":"
                  "\"2026-11-26\"}"),
        AT_OK);
    struct at_root *root = at_catalog_root(world.catalog);
    assert_int_equal(at_root_version(root), 1);
    assert_int_equal(at_root_live(root), 1);
    assert_true(number_of(root, "A", "price") == 80);
    assert_true(number_of(root, "A", "margin") == 0.75);
    assert_true(number_of(root, "A", "discount") == 0.2);
    assert_true(number_of(root, "A", "vegan") == 1);
    assert_true(number_of(root, "A", "released") == 1795651200000.0);
    assert_true(at_is_missing(number_of(root, "A", "rating")));
    assert_string_equal(text_of(root, "A", "category"), "sofas");
    int tags = attribute_of(root, "tags");
    uint32_t count;
    const uint32_t *set = at_root_set(root, tags, at_root_code(root, tags, 0), &count);
    assert_int_equal(count, 2);
    assert_true(set[0] < set[1]);
    assert_int_equal(set[0], at_root_code_of(root, tags, "new", 3));
    assert_int_equal(at_root_code_of(root, tags, "old", 3), 0);
    assert_int_equal(at_root_attribute_at(root, attribute_of(root, "vegan"))->kind, AT_ATTRIBUTE_BOOL);
    assert_true(at_root_attribute_at(root, attribute_of(root, "category"))->is_facet);
    assert_false(at_root_attribute_at(root, attribute_of(root, "title"))->is_facet);
    struct at_text body = at_root_body(root, 0);
    assert_int_equal(body.length, strlen(world.body));
    assert_memory_equal(body.data, world.body, body.length);
    assert_memory_equal(world.body, "{\"id\":\"A\",\"title\":\"Sofa\",", 24);
    at_root_unref(root);
}

static void an_id_is_required(void **state) {
    (void)state;
    char text[400], message[100];
    refuse(AT_CHANGE_PUT, NULL, "{\"title\":\"x\"}", AT_INVALID,
           "a product needs an \"id\" (a text or a whole number)");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":true}", AT_INVALID, "id must be a text or a whole number, got true");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":1.5}", AT_INVALID, "id must be a text or a whole number, got 1.5");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":null}", AT_INVALID, "id must be a text or a whole number, got null");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"\"}", AT_INVALID, "id must not be empty");
    refuse(AT_CHANGE_PUT, NULL, "[1]", AT_INVALID, "a product must be a JSON object, got a list");
    snprintf(text, sizeof text, "{\"id\":\"%0201d\"}", 7);
    refuse(AT_CHANGE_PUT, NULL, text, AT_INVALID, "id is 201 bytes long; at most 200 are allowed");
    snprintf(message, sizeof message, "the document is of \"B\", but the change is about \"A\"");
    refuse(AT_CHANGE_PATCH, "A", "{\"id\":\"B\"}", AT_INVALID, message);
    snprintf(text, sizeof text, "{\"id\":\"%0200d\"}", 7);
    assert_int_equal(world_put(&world, text), AT_OK);
    assert_int_equal(world_put(&world, "{\"id\":42}"), AT_OK);
    assert_string_equal(world.body, "{\"id\":\"42\"}");
    struct at_root *root = at_catalog_root(world.catalog);
    assert_int_equal(row_of(root, "42"), 1);
    at_root_unref(root);
}

static void kinds_are_fixed_by_first_use(void **state) {
    (void)state;
    assert_int_equal(
        world_put(&world, "{\"id\":\"A\",\"size\":42,\"colour\":\"red\",\"fits\":[\"x\"],\"vegan\":false}"),
        AT_OK);
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"B\",\"price\":\"cheap\"}", AT_INVALID,
           "price must be a number, got \"cheap\"");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"B\",\"size\":\"M\"}", AT_INVALID,
           "size must be a number, got \"M\"");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"B\",\"size\":{\"add\":1}}", AT_INVALID,
           "size must be a number, got an object");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"B\",\"colour\":7}", AT_INVALID, "colour must be a text, got 7");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"B\",\"colour\":[\"red\"]}", AT_INVALID,
           "colour must be a text, got a list");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"B\",\"fits\":\"x\"}", AT_INVALID,
           "fits must be a list of texts, got \"x\"");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"B\",\"fits\":[{}]}", AT_INVALID,
           "fits must be a list of texts, got a list with something else in it");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"B\",\"vegan\":1}", AT_INVALID,
           "vegan must be true or false, got 1");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"B\",\"released\":\"soon\"}", AT_INVALID,
           "released must be a date such as \"2026-11-26\" or \"2026-11-26T06:31:25Z\" (RFC 3339), got "
           "\"soon\"");
    assert_string_equal(world.change.error.field, "released");
    struct at_root *root = at_catalog_root(world.catalog);
    assert_int_equal(row_of(root, "B"), AT_ROW_NONE);
    at_root_unref(root);
}

static void a_refused_document_fixes_nothing(void **state) {
    (void)state;
    assert_int_equal(world_put(&world, "{\"id\":\"A\",\"weight\":3,\"price\":-1}"), AT_INVALID);
    assert_string_equal(world.change.error.message, "price must not be below 0, got -1");
    assert_int_equal(world_put(&world, "{\"id\":\"A\",\"weight\":\"heavy\"}"), AT_OK);
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"A\",\"stock\":-1}", AT_INVALID,
           "stock must not be below 0, got -1");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"A\",\"cost\":-0.5}", AT_INVALID,
           "cost must not be below 0, got -0.5");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"A\",\"list_price\":-2}", AT_INVALID,
           "list_price must not be below 0, got -2");
}

static void declarations_fix_kinds(void **state) {
    (void)state;
    struct at_error err;
    assert_int_equal(at_catalog_declare(world.catalog, "launch", "date", &err), AT_OK);
    assert_int_equal(at_catalog_declare(world.catalog, "launch", "text", &err),
                     AT_OK); /* no product has it yet */
    assert_int_equal(at_catalog_declare(world.catalog, "launch", "date", &err), AT_OK);
    assert_int_equal(world_put(&world, "{\"id\":\"A\",\"launch\":\"2026-01-01\",\"grade\":3}"), AT_OK);
    assert_int_equal(at_catalog_declare(world.catalog, "launch", "text", &err), AT_CONFLICT);
    assert_string_equal(err.message, "launch is a date by what the catalog holds and cannot become a text");
    assert_int_equal(at_catalog_declare(world.catalog, "price", "text", &err), AT_CONFLICT);
    assert_string_equal(err.message, "price is a number in every catalog and cannot become a text");
    assert_int_equal(at_catalog_declare(world.catalog, "grade", "number", &err), AT_OK);
    assert_int_equal(at_catalog_declare(world.catalog, "grade", "numbr", &err), AT_INVALID);
    assert_string_equal(err.message, "grade: there is no kind \"numbr\" — did you mean \"number\"?; number, "
                                     "bool, date, text and list are");
    struct at_root *root = at_catalog_root(world.catalog);
    assert_true(at_root_attribute_at(root, attribute_of(root, "grade"))->is_declared);
    assert_true(number_of(root, "A", "launch") == 1767225600000.0);
    at_root_unref(root);
}

static void a_patch_merges_by_rfc_7396(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        /* RFC 7396, appendix A, where both sides are objects */
        {"\"a\":\"b\"", "\"a\":\"c\"", "\"a\":\"c\""},
        {"\"a\":\"b\"", "\"b\":\"c\"", "\"a\":\"b\",\"b\":\"c\""},
        {"\"a\":\"b\"", "\"a\":null", ""},
        {"\"a\":\"b\",\"b\":\"c\"", "\"a\":null", "\"b\":\"c\""},
        {"\"o\":{\"b\":\"c\"}", "\"o\":{\"b\":\"d\",\"c\":null}", "\"o\":{\"b\":\"d\"}"},
        {"\"o\":{\"b\":[1]}", "\"o\":{\"b\":1}", "\"o\":{\"b\":1}"},
        {"\"l\":[\"a\",\"b\"]", "\"l\":[\"c\",\"d\"]", "\"l\":[\"c\",\"d\"]"},
        {"\"e\":null", "\"a\":\"1\"", "\"e\":null,\"a\":\"1\""},
        {"", "\"o\":{\"bb\":{\"ccc\":null}}", "\"o\":{\"bb\":{}}"},
        {"\"o\":{\"x\":{\"y\":1},\"z\":2}", "\"o\":{\"x\":{\"w\":3}}",
         "\"o\":{\"x\":{\"y\":1,\"w\":3},\"z\":2}"},
    };
    char text[200];
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        struct world own;
        world_init(&own);
        snprintf(text, sizeof text, "{\"id\":\"A\"%s%s}", *cases[i][0] ? "," : "", cases[i][0]);
        assert_int_equal(world_put(&own, text), AT_OK);
        snprintf(text, sizeof text, "{\"id\":\"A\",%s}", cases[i][1]);
        assert_int_equal(world_patch(&own, text), AT_OK);
        snprintf(text, sizeof text, "{\"id\":\"A\"%s%s}", *cases[i][2] ? "," : "", cases[i][2]);
        assert_string_equal(own.body, text);
        world_clear(&own);
    }
    refuse(AT_CHANGE_PATCH, NULL, "{\"id\":\"Z\",\"stock\":1}", AT_NOTFOUND, "there is no product \"Z\"");
}

static void a_patch_changes_and_removes_attributes(void **state) {
    (void)state;
    assert_int_equal(world_put(&world, "{\"id\":\"A\",\"price\":10,\"cost\":5,\"brand\":\"Acme\"}"), AT_OK);
    assert_int_equal(world_change(&world, AT_CHANGE_PATCH, "A", "{\"cost\":null,\"brand\":\"Birch\"}"),
                     AT_OK);
    struct at_root *root = at_catalog_root(world.catalog);
    assert_true(at_is_missing(number_of(root, "A", "cost")));
    assert_true(at_is_missing(number_of(root, "A", "margin")));
    assert_string_equal(text_of(root, "A", "brand"), "Birch");
    at_root_unref(root);
    assert_int_equal(world_patch(&world, "{\"id\":\"A\",\"brand\":\"Birch\"}"), AT_DUPLICATE);
    refuse(AT_CHANGE_PATCH, "A", "{\"price\":\"x\"}", AT_INVALID, "price must be a number, got \"x\"");
}

static void add_counts(void **state) {
    (void)state;
    assert_int_equal(world_put(&world, "{\"id\":\"A\",\"stock\":3}"), AT_OK);
    assert_int_equal(world_patch(&world, "{\"id\":\"A\",\"stock\":{\"add\":-1}}"), AT_OK);
    assert_string_equal(world.body, "{\"id\":\"A\",\"stock\":2}");
    assert_int_equal(world_patch(&world, "{\"id\":\"A\",\"stock\":{\"add\":-1}}"), AT_OK);
    refuse(AT_CHANGE_PATCH, NULL, "{\"id\":\"A\",\"stock\":{\"add\":-5}}", AT_INVALID,
           "stock cannot fall below 0: it is 1 and the change adds -5");
    assert_int_equal(world_patch(&world, "{\"id\":\"A\",\"rating\":{\"add\":2.5}}"),
                     AT_OK); /* what is missing counts from 0 */
    refuse(AT_CHANGE_PATCH, NULL, "{\"id\":\"A\",\"stock\":{\"add\":\"x\"}}", AT_INVALID,
           "stock must be a number, got an object");
    struct at_root *root = at_catalog_root(world.catalog);
    assert_true(number_of(root, "A", "stock") == 1);
    assert_true(number_of(root, "A", "rating") == 2.5);
    at_root_unref(root);
}

static void an_older_updated_at_changes_nothing(void **state) {
    (void)state;
    assert_int_equal(world_put(&world, "{\"id\":\"A\",\"stock\":3,\"updated_at\":\"2026-11-26T10:00:00Z\"}"),
                     AT_OK);
    assert_int_equal(world.change.updated_ms, 1795687200000LL);
    assert_int_equal(
        world_patch(&world, "{\"id\":\"A\",\"stock\":2,\"updated_at\":\"2026-11-26T09:00:00Z\"}"),
        AT_DUPLICATE);
    assert_int_equal(
        world_patch(&world, "{\"id\":\"A\",\"stock\":2,\"updated_at\":\"2026-11-26T10:00:00Z\"}"),
        AT_DUPLICATE);
    assert_int_equal(
        world_put(&world, "{\"id\":\"A\",\"stock\":9,\"updated_at\":\"2026-11-26T09:59:59.999Z\"}"),
        AT_DUPLICATE);
    assert_int_equal(
        world_patch(&world, "{\"id\":\"A\",\"stock\":2,\"updated_at\":\"2026-11-26T11:00:01+01:00\"}"),
        AT_OK);
    refuse(AT_CHANGE_PATCH, NULL, "{\"id\":\"A\",\"updated_at\":\"now\"}", AT_INVALID,
           "updated_at must be a date such as \"2026-11-26T06:31:25Z\" (RFC 3339), got \"now\"");
    assert_int_equal(world_put(&world, "{\"id\":\"A\",\"stock\":7}"),
                     AT_OK); /* without one it is simply the latest */
    assert_int_equal(
        world_patch(&world, "{\"id\":\"A\",\"stock\":1,\"updated_at\":\"2026-11-26T10:00:00Z\"}"),
        AT_DUPLICATE);
    struct at_root *root = at_catalog_root(world.catalog);
    assert_true(number_of(root, "A", "stock") == 7);
    at_root_unref(root);
}

static void a_retired_product_keeps_its_row_and_comes_back(void **state) {
    (void)state;
    const char *text = "{\"id\":\"A\",\"sku\":\"S-1\",\"price\":5,\"updated_at\":\"2026-11-26T10:00:00Z\"}";
    assert_int_equal(world_put(&world, text), AT_OK);
    struct at_root *old = at_catalog_root(world.catalog);
    assert_int_equal(world_retire(&world, "A"), AT_OK);
    assert_true(world.change.is_retired);
    assert_null(world.change.body.data);
    assert_int_equal(world_retire(&world, "A"), AT_DUPLICATE);
    refuse(AT_CHANGE_RETIRE, "B", NULL, AT_NOTFOUND, "there is no product \"B\"");
    refuse(AT_CHANGE_PATCH, NULL, "{\"id\":\"A\",\"price\":1}", AT_NOTFOUND,
           "there is no product \"A\"; it was retired");
    struct at_root *root = at_catalog_root(world.catalog);
    assert_int_equal(row_of(root, "A"), 0);
    assert_int_equal(row_of(root, "S-1"), 0);
    assert_false(at_root_is_live(root, 0));
    assert_null(at_root_body(root, 0).data);
    assert_true(at_is_missing(number_of(root, "A", "price")));
    assert_int_equal(at_root_live(root), 0);
    assert_true(at_root_is_live(old, 0)); /* who pinned the version before sees it as it was */
    assert_true(number_of(old, "A", "price") == 5);
    struct at_text ids[] = {AT_TEXT("A"), AT_TEXT("S-1"), AT_TEXT("none")};
    uint32_t rows[3];
    at_root_row_many(root, ids, 3, rows);
    assert_int_equal(rows[0], AT_ROW_NONE);
    at_root_row_many(old, ids, 3, rows);
    assert_int_equal(rows[0], 0);
    assert_int_equal(rows[1], 0);
    assert_int_equal(rows[2], AT_ROW_NONE);
    at_root_unref(root);
    at_root_unref(old);
    assert_int_equal(world_put(&world, text), AT_OK); /* the same feed brings it again */
    root = at_catalog_root(world.catalog);
    assert_int_equal(at_root_rows(root), 1);
    assert_true(number_of(root, "A", "price") == 5);
    at_root_unref(root);
}

static void variants_and_skus_lead_to_the_product(void **state) {
    (void)state;
    assert_int_equal(world_put(&world, "{\"id\":\"A\",\"sku\":77,\"variants\":[{\"id\":\"A-S\",\"sku\":"
                                       "\"AS\",\"size\":\"S\",\"price\":20,\"stock\":1},"
                                       "{\"id\":\"A-M\",\"size\":\"M\",\"price\":18,\"stock\":4}]}"),
                     AT_OK);
    struct at_root *root = at_catalog_root(world.catalog);
    static const char *const names[] = {"A", "77", "A-S", "AS", "A-M"};
    for (size_t i = 0; i < AT_LENGTH(names); i++) assert_int_equal(row_of(root, names[i]), 0);
    assert_true(number_of(root, "A", "price") == 18);
    assert_true(number_of(root, "A", "stock") == 5);
    uint32_t count;
    int sizes = attribute_of(root, "variants.size");
    at_root_set(root, sizes, at_root_code(root, sizes, 0), &count);
    assert_int_equal(count, 2);
    at_root_unref(root);
    refuse(AT_CHANGE_PATCH, NULL, "{\"id\":\"A-S\",\"stock\":1}", AT_NOTFOUND, "there is no product \"A-S\"");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"B\",\"variants\":[1]}", AT_INVALID,
           "variants must be a list of objects");
    refuse(AT_CHANGE_PUT, NULL, "{\"id\":\"B\",\"variants\":[{\"price\":-1}]}", AT_INVALID,
           "price of a variant must be a number of at least 0");
    assert_int_equal(world_put(&world, "{\"id\":\"A-S\"}"), AT_OK); /* takes its own id from the alias */
    assert_int_equal(world_put(&world, "{\"id\":\"C\",\"sku\":\"A\"}"),
                     AT_OK); /* never takes another's own id */
    root = at_catalog_root(world.catalog);
    assert_int_equal(row_of(root, "A-S"), 1);
    assert_int_equal(row_of(root, "A"), 0);
    at_root_unref(root);
}

static void limits_are_said(void **state) {
    (void)state;
    static char text[90000];
    size_t at = (size_t)sprintf(text, "{\"id\":\"A\",\"note\":\"");
    memset(text + at, 'x', 70000);
    strcpy(text + at + 70000, "\"}");
    refuse(AT_CHANGE_PUT, NULL, text, AT_TOOBIG, "the product is larger than 64 KiB");
    at = (size_t)sprintf(text, "{\"id\":\"A\"");
    for (int i = 0; i < 600; i++) at += (size_t)sprintf(text + at, ",\"o%d\":{}", i);
    strcpy(text + at, "}");
    refuse(AT_CHANGE_PUT, NULL, text, AT_TOOBIG, "a product has more than 512 members");
    at = (size_t)sprintf(text, "{\"id\":\"A\"");
    for (int i = 0; i < 245; i++) at += (size_t)sprintf(text + at, ",\"n%d\":1", i);
    strcpy(text + at, "}");
    refuse(AT_CHANGE_PUT, NULL, text, AT_INVALID, "n244 would be attribute 257; a catalog has at most 256");
    refuse(AT_CHANGE_PUT, NULL,
           "{\"id\":\"A\",\"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl\":1}",
           AT_INVALID,
           "an attribute's name has 1 to 63 bytes: \"abcdefghijklmnopqrstuvwxyzabcdefghijklmn\" has 64");
}

static void changes_of_one_staging_see_each_other(void **state) {
    (void)state;
    struct at_json_parser *parsers[4];
    static const char *const texts[] = {"{\"id\":\"A\",\"stock\":3}", "{\"id\":\"A\",\"stock\":{\"add\":-1}}",
                                        "{\"id\":\"B\",\"price\":\"x\"}",
                                        "{\"id\":\"A\",\"stock\":{\"add\":-1},\"x\":\"y\"}"};
    struct at_change changes[5] = {{.kind = AT_CHANGE_PUT},
                                   {.kind = AT_CHANGE_PATCH},
                                   {.kind = AT_CHANGE_PUT},
                                   {.kind = AT_CHANGE_PATCH},
                                   {.kind = AT_CHANGE_RETIRE, .id = AT_TEXT("C")}};
    for (int i = 0; i < 4; i++) {
        parsers[i] = at_json_parser_new(1000, 10);
        assert_int_equal(
            at_json_parse(parsers[i], texts[i], strlen(texts[i]), false, &changes[i].document, NULL), AT_OK);
    }
    assert_int_equal(world_put(&world, "{\"id\":\"C\"}"), AT_OK);
    assert_int_equal(world_put(&world, "{\"id\":\"D\"}"), AT_OK);
    for (int round = 0; round < 2; round++) { /* once cancelled, once published */
        struct at_staging *staging;
        changes[4].id = AT_TEXT("C");
        assert_int_equal(at_catalog_stage(world.catalog, &world.arena, changes, 5, &staging, NULL), AT_OK);
        static const enum at_status expected[] = {AT_OK, AT_OK, AT_INVALID, AT_OK, AT_OK};
        for (int i = 0; i < 5; i++) assert_int_equal(changes[i].status, expected[i]);
        assert_int_equal(changes[3].row, 2);
        assert_int_equal(at_staging_missing(staging, NULL, NULL), 1); /* D: C is retired, A was put */
        if (round == 0)
            at_staging_cancel(staging);
        else
            assert_int_equal(at_staging_publish(staging), AT_OK);
        struct at_root *root = at_catalog_root(world.catalog);
        assert_int_equal(at_root_live(root), 2);
        assert_int_equal(row_of(root, "A"), round ? 2 : AT_ROW_NONE);
        assert_int_equal(attribute_of(root, "x") >= 0, round);
        if (round) assert_true(number_of(root, "A", "stock") == 1);
        at_root_unref(root);
    }
    for (int i = 0; i < 4; i++) at_json_parser_free(parsers[i]);
}

static void a_cancelled_staging_leaves_no_ids(void **state) {
    (void)state;
    struct at_staging *staging;
    struct at_json none = {0};
    for (int round = 0; round < 2; round++) {
        assert_int_equal(at_catalog_stage(world.catalog, &world.arena, NULL, 0, &staging, NULL), AT_OK);
        for (uint32_t row = 0; row < 4; row++) {
            char id[8];
            if (round == 1 && row < 3) continue;
            snprintf(id, sizeof id, "P%u", row);
            assert_int_equal(at_staging_restore(staging, row, at_text_of(id), 0, true, none), AT_OK);
        }
        if (round == 0)
            at_staging_cancel(staging);
        else
            assert_int_equal(at_staging_restore(staging, 3, AT_TEXT("Q"), 0, true, none),
                             AT_INVALID); /* the row is taken */
    }
    assert_int_equal(at_staging_publish(staging), AT_OK);
    struct at_root *root = at_catalog_root(world.catalog);
    assert_int_equal(at_root_rows(root), 4);
    assert_null(at_root_id(root, 1).data);
    assert_int_equal(row_of(root, "P1"), AT_ROW_NONE);
    assert_int_equal(row_of(root, "P3"), 3);
    at_root_unref(root);
}

static void counted_features_are_columns_of_their_own(void **state) {
    (void)state;
    static float values[3000];
    for (int i = 0; i < 3000; i++) values[i] = (float)i;
    const float *given[AT_COUNTED_COUNT] = {[AT_COUNTED_TRENDING] = values};
    struct at_root *old = at_catalog_root(world.catalog);
    assert_int_equal(at_catalog_publish_counted(world.catalog, given, 2000), AT_OK);
    struct at_root *root = at_catalog_root(world.catalog);
    assert_null(at_root_counted(root, AT_COUNTED_POPULARITY, 0));
    assert_null(at_root_counted(old, AT_COUNTED_TRENDING, 0));
    assert_true(at_root_counted(root, AT_COUNTED_TRENDING, 1)[975] == 1999);
    assert_true(at_root_counted(root, AT_COUNTED_TRENDING, 1)[976] == 0);
    values[0] = 9; /* only the first chunk is copied */
    assert_int_equal(at_catalog_publish_counted(world.catalog, given, 2000), AT_OK);
    struct at_root *next = at_catalog_root(world.catalog);
    assert_ptr_equal(at_root_counted(root, AT_COUNTED_TRENDING, 1),
                     at_root_counted(next, AT_COUNTED_TRENDING, 1));
    assert_true(at_root_counted(root, AT_COUNTED_TRENDING, 0)[0] == 0);
    assert_true(at_root_counted(next, AT_COUNTED_TRENDING, 0)[0] == 9);
    at_root_unref(old);
    at_root_unref(root);
    at_root_unref(next);
}

static void a_change_copies_only_what_it_touches(void **state) {
    (void)state;
    char text[100];
    for (int i = 0; i < 2100; i++) {
        snprintf(text, sizeof text, "{\"id\":\"P%d\",\"price\":%d,\"stock\":1,\"category\":\"c%d\"}", i, i,
                 i % 7);
        assert_int_equal(world_put(&world, text), AT_OK);
    }
    struct at_root *before = at_catalog_root(world.catalog);
    assert_int_equal(world_patch(&world, "{\"id\":\"P5\",\"stock\":0}"), AT_OK);
    struct at_root *after = at_catalog_root(world.catalog);
    int price = attribute_of(before, "price"), stock = attribute_of(before, "stock"),
        category = attribute_of(before, "category");
    assert_ptr_equal(at_root_numbers(before, price, 0), at_root_numbers(after, price, 0));
    assert_ptr_equal(at_root_codes(before, category, 0), at_root_codes(after, category, 0));
    assert_ptr_not_equal(at_root_numbers(before, stock, 0), at_root_numbers(after, stock, 0));
    assert_ptr_equal(at_root_numbers(before, stock, 1), at_root_numbers(after, stock, 1));
    assert_ptr_equal(at_root_body(before, 6).data, at_root_body(after, 6).data);
    at_root_unref(before);
    at_root_unref(after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_product_is_put_and_read),
        TEST(an_id_is_required),
        TEST(kinds_are_fixed_by_first_use),
        TEST(a_refused_document_fixes_nothing),
        TEST(declarations_fix_kinds),
        TEST(a_patch_merges_by_rfc_7396),
        TEST(a_patch_changes_and_removes_attributes),
        TEST(add_counts),
        TEST(an_older_updated_at_changes_nothing),
        TEST(a_retired_product_keeps_its_row_and_comes_back),
        TEST(variants_and_skus_lead_to_the_product),
        TEST(limits_are_said),
        TEST(changes_of_one_staging_see_each_other),
        TEST(a_cancelled_staging_leaves_no_ids),
        TEST(counted_features_are_columns_of_their_own),
        TEST(a_change_copies_only_what_it_touches),
    };
    return cmocka_run_group_tests_name("catalog changes", tests, NULL, NULL);
}
