/* SPDX-License-Identifier: Apache-2.0
 *
 * What an event says of products and money: prices, orders, refunds, the facets of the catalog; and what is
 * stored of it.
 */
#include <locale.h>
#include <math.h>
#include "profile_world.h"
#include "catalog/catalog.h"

ONE_WORLD
PARSE_CHECKS

#define ORDER(properties)                                                                                    \
    "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Order Completed\",\"properties\":{" properties "}}"
#define REFUND(properties)                                                                                   \
    "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Order Refunded\",\"properties\":{" properties "}}"

static void money(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double expected;
    } cases[] = {
        {ORDER("\"revenue\":25.5,\"total\":40"), 25.5},
        {ORDER("\"revenue\":\"19.99\""), 19.99},
        {ORDER("\"revenue\":\" -3 \""), -3},
        {ORDER("\"subtotal\":30,\"discount\":2.5,\"total\":40"), 27.5},
        {ORDER("\"total\":40,\"tax\":3,\"shipping\":\"5\""), 32},
        {ORDER("\"products\":[{\"product_id\":\"a\",\"price\":2,\"quantity\":3},{\"sku\":\"b\",\"price\":\"0."
               "5\"}]"),
         6.5},
        {REFUND("\"refund_amount\":-12"), 12},
        {REFUND("\"products\":[{\"product_id\":\"a\",\"price\":2,\"quantity\":3}]"), 6},
    };
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        expect(cases[i].text);
        if (!(world.event.revenue == cases[i].expected))
            fail_msg("%s: %g", cases[i].text, world.event.revenue);
    }
    static const char *const missing[] = {ORDER(""),
                                          ORDER("\"revenue\":null"),
                                          ORDER("\"revenue\":\"0x10\""),
                                          ORDER("\"revenue\":\"nan\""),
                                          ORDER("\"revenue\":\"1,50\""),
                                          ORDER("\"revenue\":\"1.2.3\""),
                                          ORDER("\"revenue\":\"-\""),
                                          ORDER("\"revenue\":\".\""),
                                          ORDER("\"revenue\":\"1234567890123456\""),
                                          ORDER("\"products\":[{\"product_id\":\"a\",\"price\":1},\"b\"]"),
                                          REFUND("")};
    for (size_t i = 0; i < AT_LENGTH(missing); i++) {
        expect(missing[i]);
        if (!at_is_missing(world.event.revenue)) fail_msg("%s: %g", missing[i], world.event.revenue);
    }
    if (setlocale(LC_ALL, "de_DE.UTF-8")) { /* a host's decimal comma is its own affair */
        expect(ORDER("\"revenue\":\"19.99\""));
        setlocale(LC_ALL, "C");
        assert_true(world.event.revenue == 19.99);
    }
    expect(ORDER("\"orderId\":77,\"currency\":\"EUR\""));
    assert_true(is_text(world.event.order_id, "77") && is_text(world.event.currency, "EUR"));
    expect(ORDER("\"order_id\":\"undefined\"")); /* claimed once it would swallow all the others */
    assert_int_equal(world.event.order_id.length, 0);
    refuse(ORDER("\"revenue\":1e300"), "bad_amount", "revenue");
    refuse(ORDER("\"products\":[{\"product_id\":\"a\",\"quantity\":1e13}]"), "bad_amount", "quantity");
    refuse(ORDER("\"products\":[{\"product_id\":\"a\",\"price\":-1e13}]"), "bad_amount", "price");
}

/* A product of a catalog of one, and what an event that names it keeps of its facets. */
static struct at_text facets_kept(const char *document, struct at_json *facets) {
    struct at_catalog *catalog;
    struct at_staging *staging;
    struct at_arena documents;
    at_arena_init(&documents, 1 << 24);
    assert_int_equal(at_catalog_new(&catalog, NULL, NULL), AT_OK);
    struct at_change change = {.kind = AT_CHANGE_PUT, .document = json_of(world.body_parser, document)};
    assert_int_equal(at_catalog_stage(catalog, &documents, &change, 1, &staging, NULL), AT_OK);
    assert_int_equal(at_staging_publish(staging), AT_OK);
    struct at_root *root = at_catalog_root(catalog);
    world.root = root;
    expect(ORDER("\"products\":[{\"product_id\":\"X\"},{\"product_id\":\"P\"}]"));
    at_bytes_reset(&world.bytes);
    struct at_text cut = at_event_write_facts(&world.event, root, true, &world.bytes);
    if (cut.data) assert_true(is_text(cut, "P"));
    struct at_json_each it =
        at_json_each(at_json_get(json_of(world.facts_parser, world.bytes.data), "items"));
    assert_true(at_json_next(&it) && at_json_next(&it));
    *facets = at_json_get(it.value, "facets");
    world.root = NULL;
    at_root_unref(root);
    at_catalog_free(catalog);
    at_arena_clear(&documents);
    return cut;
}

static void all_facets_of_a_product_are_kept(void **state) {
    (void)state;
    static char text[64 * 1024];
    char name[20];
    struct at_json facets;
    size_t n = (size_t)snprintf(text, sizeof text, "{\"id\":\"P\"");
    for (int i = 0; i < 200; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, ",\"facet_%d\":\"value %d\"", i, i);
    snprintf(text + n, sizeof text - n, "}");
    assert_null(facets_kept(text, &facets).data);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "facet_%d", i);
        assert_true(at_json_is_string(at_json_get(facets, name)));
    }
    /* A description is no facet, a long category is one. */
    n = (size_t)snprintf(text, sizeof text, "{\"id\":\"P\",\"care\":\"%0200d\",\"story\":\"%0201d\"", 1, 2);
    snprintf(text + n, sizeof text - n, ",\"category\":\"%0400d\"}", 3);
    assert_null(facets_kept(text, &facets).data);
    assert_true(at_json_text(at_json_get(facets, "care")).length == 200 &&
                !at_json_get(facets, "story").tape);
    assert_int_equal(at_json_text(at_json_get(facets, "category")).length, 400);
}

static void too_many_facets_are_cut_and_said(void **state) {
    (void)state;
    static char text[64 * 1024];
    struct at_json facets;
    for (int count = 80; count <= 82; count++) { /* "brand", "x", "tags" and 81 times 101 bytes: 8,191 */
        size_t n = (size_t)snprintf(text, sizeof text, "{\"id\":\"P\",\"brand\":\"x\",\"tags\":[");
        for (int i = 0; i < count; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s\"%0101d\"", i ? "," : "", i);
        snprintf(text + n, sizeof text - n, "]}");
        struct at_text cut = facets_kept(text, &facets);
        assert_int_equal(cut.data != NULL, count > 81);
        assert_int_equal(at_json_count(at_json_get(facets, "tags")), count < 81 ? count : 81);
    }
}

static void products_with_a_catalog(void **state) {
    (void)state;
    struct at_catalog *catalog;
    struct at_staging *staging;
    struct at_arena arena;
    at_arena_init(&arena, 1 << 24);
    assert_int_equal(at_catalog_new(&catalog, NULL, NULL), AT_OK);
    struct at_change change = {
        .kind = AT_CHANGE_PUT,
        .document =
            json_of(world.body_parser,
                    "{\"id\":\"P\",\"price\":12.5,\"brand\":\"Acme\",\"category\":\"Sofas\",\"sku\":\"S-1\","
                    "\"tags\":[\"new\",\"red\"],\"variants\":[{\"id\":\"V\"}]}")};
    assert_int_equal(at_catalog_stage(catalog, &arena, &change, 1, &staging, NULL), AT_OK);
    assert_int_equal(at_staging_publish(staging), AT_OK);
    struct at_root *root = at_catalog_root(catalog);
    world.root = root;
    expect(ORDER("\"products\":[{\"product_id\":\"P\"},{\"sku\":\"S-1\",\"price\":9},{\"product_id\":\"X\","
                 "\"variant_id\":\"V\"},"
                 "\"V\",{\"product_id\":\"X\",\"brand\":\"Other\",\"category\":\"Lamps\"},{\"name\":"
                 "\"nameless\"},7]"));
    assert_int_equal(world.event.item_count, 6);
    for (int i = 0; i < 4; i++)
        assert_true(is_text(world.event.items[i].product, "P") && world.event.items[i].row == 0);
    assert_true(world.event.items[0].price == 12.5 && world.event.items[1].price == 9);
    assert_true(is_text(world.event.items[1].named, "S-1") && is_text(world.event.items[2].named, "V"));
    assert_true(is_text(world.event.items[4].product, "X") && world.event.items[4].row == AT_ROW_NONE);
    assert_true(at_is_missing(world.event.items[4].price) && is_text(world.event.items[5].named, "7"));
    struct stored stored;
    keep_event(&world, true, &stored);
    struct at_json items = at_json_get(json_of(world.facts_parser, stored.facts), "items");
    struct at_json_each it = at_json_each(items);
    assert_true(at_json_next(&it));
    struct at_json facets = at_json_get(it.value, "facets"), tags = at_json_get(facets, "tags");
    assert_true(is_text(at_json_text(at_json_get(facets, "brand")), "Acme"));
    assert_true(is_text(at_json_text(at_json_get(facets, "category")), "Sofas") && at_json_count(tags) == 2);
    for (int i = 0; i < 4; i++) assert_true(at_json_next(&it));
    assert_true(is_text(at_json_text(at_json_get(at_json_get(it.value, "facets"), "brand")), "Other"));
    stored_free(&stored);
    expect("{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Product "
           "Viewed\",\"properties\":{\"product_id\":\"V\"}}");
    assert_true(world.event.item_count == 1 && is_text(world.event.items[0].product, "P"));
    expect("{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Quiz\",\"properties\":{\"product_id\":\"V\"}}");
    assert_int_equal(world.event.item_count, 0);
    world.root = NULL;
    at_root_unref(root);
    at_catalog_free(catalog);
    at_arena_clear(&arena);
}

static void at_most_five_hundred_products(void **state) {
    (void)state;
    static char text[20000];
    for (int count = 500; count <= 501; count++) {
        size_t n = (size_t)snprintf(text, sizeof text,
                                    "{\"type\":\"track\",\"userId\":\"u\",\"event\":\"Product List "
                                    "Viewed\",\"properties\":{\"products\":[");
        for (int i = 0; i < count; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s\"P%d\"", i ? "," : "", i);
        snprintf(text + n, sizeof text - n, "]}}");
        if (count == 500)
            expect(text);
        else
            refuse(text, "too_many_products", "products");
    }
}

static void the_body_is_the_event_without_secrets(void **state) {
    (void)state;
    struct at_event_defaults defaults = {.type = AT_TEXT("track"), .received_ms = NOW_MS};
    defaults.context = json_of(world.body_parser, "{\"locale\":\"de\"}");
    assert_int_equal(parse_with(&world,
                                "{ \"writeKey\":\"wk_secret\", \"write_key\":\"wk_secret\", "
                                "\"type\":\"page\", \"event\":\"A b\", \"userId\":\"u\","
                                " \"properties\":{\"x\":[1, 2.5, null]}, \"context\":null, "
                                "\"receivedAt\":\"x\", \"extra\":true }",
                                &defaults),
                     AT_OK);
    struct stored stored;
    keep_event(&world, true, &stored);
    assert_string_equal(
        stored.body,
        "{\"event\":\"A b\",\"userId\":\"u\",\"properties\":{\"x\":[1,2.5,null]},\"extra\":true,"
        "\"type\":\"track\",\"context\":{\"locale\":\"de\"},\"receivedAt\":\"2026-11-26T08:00:00.000Z\"}");
    assert_string_equal(stored.facts, "{}");
    stored_free(&stored);
    expect(REFUND("\"order_id\":\"o\",\"refund_id\":\"r\",\"amount\":3"));
    keep_event(&world, false, &stored);
    assert_string_equal(stored.facts, "{\"order\":\"o\",\"refund\":\"r\",\"claim\":false,\"revenue\":3}");
    stored_free(&stored);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money),
        cmocka_unit_test(all_facets_of_a_product_are_kept),
        cmocka_unit_test(too_many_facets_are_cut_and_said),
        cmocka_unit_test(products_with_a_catalog),
        cmocka_unit_test(at_most_five_hundred_products),
        cmocka_unit_test(the_body_is_the_event_without_secrets),
    };
    return cmocka_run_group_tests_name("profile items", tests, begin, end);
}
