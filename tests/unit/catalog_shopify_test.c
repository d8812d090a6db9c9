/* SPDX-License-Identifier: Apache-2.0
 *
 * Products and stock of Shopify as documents: what is written, that own members stay, and that the stock does
 * not depend on the order in which it is told of.
 */
#include "catalog/shopify.h"
#include "base/time.h"
#include "catalog_world.h"

ONE_WORLD
GENERATED_CASES;

static struct at_bytes bytes;
static struct at_json_parser *sent_parser, *kept_parser;
static struct at_error err;

static struct at_json parse(struct at_json_parser *parser, const char *text, size_t length) {
    struct at_json json = {0};
    if (text && at_json_parse(parser, text, length, false, &json, &err) != AT_OK)
        fail_msg("%s: %.300s", err.message, text);
    return json;
}

/* The document, or of a stock alone the patch. */
static const char *write(const char *sent, const char *kept, const struct at_shopify_stock *stocks) {
    struct at_shopify_product product = {.sent = parse(sent_parser, sent, sent ? strlen(sent) : 0),
                                         .kept = parse(kept_parser, kept, kept ? strlen(kept) : 0),
                                         .stocks = stocks,
                                         .domain = AT_TEXT("x.myshopify.com"),
                                         .at_ms = 5000};
    static struct at_arena arena;
    if (!arena.max_bytes) at_arena_init(&arena, 1 << 24);
    at_arena_reset(&arena);
    at_bytes_reset(&bytes);
    assert_int_equal(at_shopify_product_write(&product, &arena, &bytes, &err), AT_OK);
    assert_false(bytes.failed);
    return bytes.data;
}

#define SHIRT                                                                                                \
    "{\"id\":632910392,\"title\":\"Shirt\",\"vendor\":\"Acme\",\"product_type\":\"Tops\",\"handle\":"        \
    "\"shirt\",\"tags\":\"a, "                                                                               \
    "b c\",\"body_html\":\"<p>Soft &amp; "                                                                   \
    "<b>warm</b></p>\\n<br>Ünder\",\"published_at\":\"2026-01-01T00:00:00Z\",\"updated_at\":"               \
    "\"2026-11-01T10:00:00Z\",\"options\":[{\"name\":\"Shoe "                                                \
    "Size\"},{\"name\":\"Price\"}],\"images\":[{\"id\":5,\"src\":\"u1\",\"alt\":"                            \
    "\"Worn\"},{\"id\":6,\"src\":\"u2\"}],\"variants\":[{\"id\":1,\"sku\":\"S-1\",\"title\":\"42 / "         \
    "x\",\"price\":\"20.00\",\"compare_at_price\":"                                                          \
    "\"25.00\",\"inventory_item_id\":101,\"inventory_management\":\"shopify\",\"inventory_policy\":"         \
    "\"deny\",\"inventory_quantity\":3,"                                                                     \
    "\"option1\":\"42\",\"option2\":\"x\",\"image_id\":6},{\"id\":2,\"sku\":\"S-2\",\"price\":\"19.95\","    \
    "\"compare_at_price\":\"10.00\","                                                                        \
    "\"inventory_item_id\":102,\"inventory_management\":\"shopify\",\"inventory_policy\":\"deny\","          \
    "\"inventory_quantity\":-2}]}"

static void a_product_is_a_document(void **state) {
    (void)state;
    assert_string_equal(
        write(SHIRT, NULL, NULL),
        "{\"id\":\"632910392\",\"title\":\"Shirt\",\"brand\":\"Acme\",\"category\":\"Tops\",\"tags\":[\"a\","
        "\"b c\"],\"handle\":\"shirt\","
        "\"url\":\"https://x.myshopify.com/products/shirt\",\"description\":\"Soft & warm "
        "Ünder\",\"images\":{\"worn\":\"u1\",\"image_2\":"
        "\"u2\"},\"image\":\"u1\",\"released\":\"2026-01-01T00:00:00.000Z\",\"updated_at\":\"2026-11-01T10:"
        "00:00.000Z\",\"variants\":[{"
        "\"id\":\"1\",\"sku\":\"S-1\",\"title\":\"42 / "
        "x\",\"price\":20,\"list_price\":25,\"stock\":3,\"image\":\"u2\",\"inventory_item_id\":"
        "\"101\",\"shoe_size\":\"42\",\"option_price\":\"x\"},{\"id\":\"2\",\"sku\":\"S-2\",\"price\":19.95,"
        "\"stock\":0,\"inventory_item_id\":"
        "\"102\"}],\"available\":true,\"inventory\":{\"101\":{\"said\":[3,1793527200000,false]},\"102\":{"
        "\"said\":[-2,1793527200000,false]"
        "}}}");
    assert_int_equal(world_put(&world, bytes.data), AT_OK);
    struct at_root *root = at_catalog_root(world.catalog);
    assert_true(number_of(root, "632910392", "stock") == 3 && number_of(root, "632910392", "price") == 19.95);
    assert_true(row_of(root, "S-2") == row_of(root, "632910392") &&
                row_of(root, AT_INVENTORY_NAME "102") == row_of(root, "632910392"));
    assert_true(row_of(root, "102") == AT_ROW_NONE && attribute_of(root, "variants.inventory_item_id") < 0);
    assert_true(attribute_of(root, "variants.shoe_size") >= 0);
    at_root_unref(root);
}

static void what_the_merchant_added_stays(void **state) {
    (void)state;
    const char *text = write(SHIRT,
                             "{\"id\":\"632910392\",\"title\":\"Old\",\"margin_class\":\"high\",\"rating\":4."
                             "5,\"tags\":[\"x\"],\"cost\":9}",
                             NULL);
    assert_non_null(strstr(text, "\"margin_class\":\"high\",\"rating\":4.5"));
    assert_null(strstr(text, "Old"));
    assert_null(strstr(text, "\"cost\"")); /* Shopify's, and it says none */
}

static struct at_shopify_stock word_of(const char *topic, const char *body) {
    struct at_shopify_stock word;
    static struct at_arena arena;
    if (!arena.max_bytes) at_arena_init(&arena, 1 << 24);
    assert_int_equal(at_shopify_stock_read(at_text_of(topic), parse(sent_parser, body, strlen(body)), 7000,
                                           &arena, &word, &err),
                     AT_OK);
    word.item = (struct at_text){at_arena_dup(&arena, word.item.data, word.item.length), word.item.length};
    word.place =
        (struct at_text){at_arena_dup(&arena, word.place.data, word.place.length), word.place.length};
    return word;
}

static void stock_changes_of_an_item(void **state) {
    (void)state;
    char kept[2000];
    snprintf(kept, sizeof kept, "%s", write(SHIRT, NULL, NULL));
    struct at_shopify_stock
        level = word_of("inventory_levels/update",
                        "{\"inventory_item_id\":101,\"location_id\":9,\"available\":6,\"updated_at\":"
                        "\"2026-11-02T10:00:00Z\"}"),
        item = word_of(
            "inventory_items/update",
            "{\"id\":102,\"cost\":\"4.00\",\"tracked\":false,\"updated_at\":\"2026-11-02T10:00:00Z\"}");
    level.next = &item;
    const char *patch = write(NULL, kept, &level);
    assert_non_null(strstr(patch, "\"stock\":6"));             /* newer than what the product said */
    assert_non_null(strstr(patch, "\"cost\":4,\"stock\":1}")); /* nobody counts it: it can be bought */
    assert_non_null(strstr(patch, "\"cost\":4,\"available\":true"));
    assert_non_null(strstr(patch, "\"at\":{\"9\":[6,1793613600000]}"));
    assert_null(strstr(patch, "updated_at"));
    level.at_ms = 1793520000000; /* older */
    level.next = NULL;
    assert_non_null(strstr(write(NULL, kept, &level), "\"stock\":3"));
    struct at_shopify_stock gone =
        word_of("inventory_levels/disconnect", "{\"inventory_item_id\":101,\"location_id\":9}");
    assert_true(at_is_missing(gone.available) && gone.at_ms == 7000);
    gone.at_ms = 1793700000000;
    assert_non_null(strstr(write(NULL, kept, &gone), "\"stock\":0"));
    assert_int_equal(at_shopify_stock_read(AT_TEXT("inventory_levels/update"),
                                           parse(sent_parser, "{\"inventory_item_id\":1}", 23), 0,
                                           &world.arena, &gone, &err),
                     AT_INVALID);
}

static void what_can_always_be_bought(void **state) {
    (void)state;
    static const char *const variants[][2] = {
        {"\"inventory_management\":null,\"inventory_quantity\":0", "\"stock\":1"},
        {"\"inventory_management\":\"shopify\",\"inventory_policy\":\"continue\",\"inventory_quantity\":-7",
         "\"stock\":1"},
        {"\"inventory_management\":\"shopify\",\"inventory_policy\":\"continue\",\"inventory_quantity\":7",
         "\"stock\":7"},
        {"\"inventory_management\":\"shopify\",\"inventory_policy\":\"deny\",\"inventory_quantity\":0",
         "\"stock\":0"}};
    char text[500];
    for (size_t i = 0; i < AT_LENGTH(variants); i++) {
        snprintf(text, sizeof text, "{\"id\":1,\"variants\":[{\"id\":2,\"inventory_item_id\":3,%s}]}",
                 variants[i][0]);
        assert_non_null(strstr(write(text, NULL, NULL), variants[i][1]));
    }
    static const char *const offered[] = {"{\"id\":1}",
                                          "{\"status\":\"active\",\"published_at\":\"2026-01-01\"}"},
                             *const hidden[] = {"{\"status\":\"draft\"}", "{\"published_at\":null}",
                                                "{\"status\":\"archived\",\"published_at\":\"2026-01-01\"}"};
    for (size_t i = 0; i < AT_LENGTH(offered); i++)
        assert_true(at_shopify_is_offered(parse(sent_parser, offered[i], strlen(offered[i]))));
    for (size_t i = 0; i < AT_LENGTH(hidden); i++)
        assert_false(at_shopify_is_offered(parse(sent_parser, hidden[i], strlen(hidden[i]))));
}

static void a_product_of_many_variants_is_told_in_parts(void **state) {
    (void)state;
    char kept[2000];
    snprintf(kept, sizeof kept, "%s", write(SHIRT, NULL, NULL));
    const char *text = write(
        "{\"id\":632910392,\"variants\":[{\"id\":1,\"price\":\"5.00\"}],\"variant_gids\":[{\"admin_graphql_"
        "api_id\":"
        "\"gid://shopify/ProductVariant/1\"},{\"admin_graphql_api_id\":\"gid://shopify/ProductVariant/2\"}]}",
        kept, NULL);
    assert_non_null(strstr(text, "\"id\":\"1\",\"price\":5"));
    assert_non_null(strstr(text, "\"id\":\"2\",\"sku\":\"S-2\",\"price\":19.95"));
    text = write("{\"id\":632910392,\"variants\":[{\"id\":1,\"price\":\"5.00\"}],\"variant_gids\":[{\"admin_"
                 "graphql_api_id\":"
                 "\"gid://shopify/ProductVariant/12\"}]}",
                 kept, NULL);
    assert_null(strstr(text, "S-2"));
}

static void a_hundred_variants_fit(void **state) {
    (void)state;
    static char text[100 * 1024];
    size_t n = (size_t)snprintf(text, sizeof text,
                                "{\"id\":7,\"options\":[{\"name\":\"Size\"},{\"name\":\"Colour\"},{\"name\":"
                                "\"Fit\"}],\"body_html\":\"");
    for (int i = 0; i < 3000; i++) n += (size_t)snprintf(text + n, sizeof text - n, "wörd ");
    n += (size_t)snprintf(text + n, sizeof text - n, "\",\"variants\":[");
    for (int i = 0; i < 100; i++)
        n += (size_t)snprintf(
            text + n, sizeof text - n,
            "%s{\"id\":4736521%07d,\"sku\":\"SKU-LONG-%06d\",\"title\":\"XL / navy / "
            "slim\",\"price\":\"1199.95\",\"compare_at_price\":"
            "\"1299.95\",\"inventory_item_id\":4936521%07d,\"inventory_management\":\"shopify\",\"inventory_"
            "quantity\":%d,\"option1\":"
            "\"XL\",\"option2\":\"navy\",\"option3\":\"slim\",\"barcode\":\"400000000%04d\"}",
            i ? "," : "", i, i, i, i, i);
    snprintf(text + n, sizeof text - n, "]}");
    struct at_shopify_stock levels[300];
    static char items[100][24];
    for (int i = 0; i < 100; i++) snprintf(items[i], sizeof items[i], "4936521%07d", i);
    for (int i = 0; i < 300; i++)
        levels[i] = (struct at_shopify_stock){.next = i ? &levels[i - 1] : NULL,
                                              .item = at_text_of(items[i % 100]),
                                              .place = at_text_of(i < 100   ? "60000000001"
                                                                  : i < 200 ? "60000000002"
                                                                            : "60000000003"),
                                              .available = 5,
                                              .at_ms = 1793613600000};
    const char *document = write(text, NULL, &levels[299]);
    print_message("a product of 100 variants in 3 places: %zu bytes\n", bytes.length);
    assert_true(bytes.length < 64 * 1024);
    assert_int_equal(world_put(&world, document), AT_OK);
}

/* ---- in any order ---- */

enum { WORDS = 12 };
struct told { /* one webhook, or what it came to */
    char text[600];
    bool is_product;
    int64_t at_ms;
    struct at_shopify_stock word;
};

static void make_words(struct told *told) {
    for (int i = 0; i < WORDS; i++) {
        int64_t at_ms = 1793527200000 + i * 1000; /* no two at once */
        char moment[AT_TIME_SIZE];
        at_time_format(at_ms, moment);
        uint32_t which = random_below(&seed, 4), item = 101 + random_below(&seed, 2),
                 place = 1 + random_below(&seed, 3), count = random_below(&seed, 9);
        told[i] = (struct told){.is_product = which == 0 || i == 0, .at_ms = at_ms};
        if (told[i].is_product)
            snprintf(
                told[i].text, sizeof told[i].text,
                "{\"id\":7,\"title\":\"T%d\",\"updated_at\":\"%s\",\"variants\":[{\"id\":1,\"price\":\"%u."
                "00\",\"inventory_item_id\":101,"
                "\"inventory_management\":\"shopify\",\"inventory_policy\":\"%s\",\"inventory_quantity\":%u},"
                "{\"id\":2,\"price\":\"3.00\","
                "\"inventory_item_id\":102,\"inventory_management\":\"shopify\",\"inventory_quantity\":%u}]}",
                i, moment, count + 1, count > 6 ? "continue" : "deny", count, place);
        else if (which == 1)
            snprintf(told[i].text, sizeof told[i].text,
                     "{\"id\":%u,\"cost\":\"%u.50\",\"tracked\":%s,\"updated_at\":\"%s\"}", item, count,
                     count > 6 ? "false" : "true", moment);
        else
            snprintf(told[i].text, sizeof told[i].text,
                     "{\"inventory_item_id\":%u,\"location_id\":%u,\"available\":%u,\"updated_at\":\"%s\"}",
                     item, place, count, moment);
        if (!told[i].is_product)
            told[i].word = word_of(which == 1                    ? "inventory_items/update"
                                   : random_below(&seed, 5) == 0 ? "inventory_levels/disconnect"
                                                                 : "inventory_levels/update",
                                   told[i].text);
    }
}

/* As shop/shopify_items.c does it: what comes before the product waits for it. */
static void tell_all(struct told *told, char *out, size_t size) {
    struct at_shopify_stock *waiting = NULL;
    char kept[4000] = "";
    world_clear(&world);
    world_init(&world);
    for (int i = 0; i < WORDS; i++) {
        if (!told[i].is_product && !kept[0]) {
            told[i].word.next = waiting;
            waiting = &told[i].word;
            continue;
        }
        told[i].word.next = NULL;
        if (told[i].is_product)
            (void)world_put(&world, write(told[i].text, kept[0] ? kept : NULL, waiting));
        else
            (void)world_patch(&world, write(NULL, kept, &told[i].word));
        if (told[i].is_product) waiting = NULL;
        struct at_root *root = at_catalog_root(world.catalog);
        struct at_text body = at_root_body(root, row_of(root, "7"));
        snprintf(kept, sizeof kept, "%.*s", (int)body.length, body.data);
        at_root_unref(root);
    }
    struct at_root *root = at_catalog_root(world.catalog);
    struct at_json document = parse(kept_parser, kept, strlen(kept)),
                   variants = at_json_get(document, "variants");
    int n =
        snprintf(out, size, "price %g stock %g cost %g title %s", number_of(root, "7", "price"),
                 number_of(root, "7", "stock"), number_of(root, "7", "cost"), text_of(root, "7", "title"));
    struct at_json_each it = at_json_each(variants);
    while (at_json_next(&it)) {
        double stock = -1, cost = -1;
        at_json_number(at_json_get(it.value, "stock"), &stock);
        at_json_number(at_json_get(it.value, "cost"), &cost);
        n += snprintf(out + n, size - (size_t)n, ", %g at %g", stock, cost);
    }
    at_root_unref(root);
}

static void products_and_stock_are_told_in_any_order(void **state) {
    (void)state;
    struct told told[WORDS];
    seed = first = first_seed(808950810);
    for (number = 0; number < 1500; number++) {
        char expected[500], shuffled[500];
        make_words(told);
        tell_all(told, expected, sizeof expected);
        for (uint32_t i = WORDS; i > 1; i--) {
            uint32_t with = random_below(&seed, i);
            struct told one = told[i - 1];
            told[i - 1] = told[with];
            told[with] = one;
        }
        tell_all(told, shuffled, sizeof shuffled);
        if (strcmp(expected, shuffled) != 0)
            fail_msg("seed %llu, case %d: %s is not %s", (unsigned long long)first, number, shuffled,
                     expected);
    }
    print_message("property: stock in any order, 1500 cases, seed %llu\n", (unsigned long long)first);
}

static int begin_all(void **state) {
    at_bytes_init(&bytes, 1 << 24);
    sent_parser = at_json_parser_new(1 << 24, 64);
    kept_parser = at_json_parser_new(1 << 24, 64);
    return begin(state);
}

static int end_all(void **state) {
    at_bytes_clear(&bytes);
    at_json_parser_free(sent_parser);
    at_json_parser_free(kept_parser);
    return end(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_is_a_document),
        cmocka_unit_test(what_the_merchant_added_stays),
        cmocka_unit_test(stock_changes_of_an_item),
        cmocka_unit_test(what_can_always_be_bought),
        cmocka_unit_test(a_product_of_many_variants_is_told_in_parts),
        cmocka_unit_test(a_hundred_variants_fit),
        cmocka_unit_test(products_and_stock_are_told_in_any_order),
    };
    return cmocka_run_group_tests_name("catalog shopify", tests, begin_all, end_all);
}
