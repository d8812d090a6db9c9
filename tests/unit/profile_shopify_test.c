/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks of Shopify as events: what is written is what the tracking routes take, within their limits; the
 * same delivery gives the same text; whatever is missing or of another kind is survived.
 */
#include <math.h>
#include "profile/shopify.h"
#include "profile_world.h"

ONE_WORLD
GENERATED_CASES;

static struct at_shopify_written outcome;
static struct at_error err;
static struct at_bytes batch;
static struct at_identity_rules rules; /* as a shop with this source has them, and one kind of its own */
static struct at_json_parser *batch_parser, *sent_parser;

static enum at_status map_as(const char *topic, const char *id, const char *body,
                             const struct at_identifier *who) {
    struct at_shopify_webhook webhook = {
        .topic = at_text_of(topic), .id = at_text_of(id), .at_ms = NOW_MS, .who = who};
    at_bytes_reset(&batch);
    err = (struct at_error){0};
    return at_shopify_events(&webhook, json_of(sent_parser, body), &batch, &outcome, &err);
}

static struct at_json map(const char *topic, const char *body) {
    if (map_as(topic, "e-1", body, NULL) != AT_OK) fail_msg("%s: %.200s", err.message, body);
    assert_false(batch.failed);
    return at_json_get(json_of(batch_parser, batch.data), "batch");
}

static struct at_json at(struct at_json list, uint32_t n) {
    struct at_json_each it = at_json_each(list);
    for (uint32_t i = 0; at_json_next(&it); i++)
        if (i == n) return it.value;
    fail_msg("there are no %u events", n + 1);
    return list;
}

static bool is_text(struct at_json object, const char *name, const char *expected) {
    return at_text_is(at_json_text(at_json_get(object, name)), expected);
}

static double amount(struct at_json object, const char *name) {
    double value = NAN;
    at_json_number(at_json_get(object, name), &value);
    return value;
}

/* Every event of the batch is one that the routes take, and names somebody. */
static uint32_t check_events(struct at_json list) {
    uint32_t count = 0;
    struct at_json_each it = at_json_each(list);
    struct at_event_defaults defaults = {
        .received_ms = NOW_MS, .is_import = true, .any_identifier = true, .rules = &rules};
    while (at_json_next(&it)) {
        struct at_bytes text;
        struct at_event event;
        at_bytes_init(&text, AT_EVENT_BYTES_MAX);
        struct at_json_out out = at_json_out(&text);
        at_json_put_value(&out, it.value);
        CHECK(!text.failed);
        at_arena_reset(&world.arena);
        if (at_event_parse(&world.arena, it.value, &defaults, NULL, &event, &err) != AT_OK)
            fail_msg("%s (%s): %.300s", err.message, err.field, text.data);
        CHECK(event.message_id.length > 0 && event.message_id.length <= 100);
        at_bytes_clear(&text);
        count++;
    }
    CHECK(count == outcome.events);
    return count;
}

#define ORDER                                                                                                \
    "\"id\":450789469,\"name\":\"#1001\",\"order_number\":1001,\"email\":\"bob@example.com\",\"created_"     \
    "at\":"                                                                                                  \
    "\"2026-11-20T11:00:00+01:00\",\"updated_at\":\"2026-11-20T11:00:05+01:00\",\"subtotal_price\":\"398."   \
    "00\","                                                                                                  \
    "\"currency\":\"EUR\""

static void an_order_is_a_copy_and_what_happened(void **state) {
    (void)state;
    struct at_json list = map(
        "orders/create", "{" ORDER ",\"line_items\":[{\"product_id\":7,\"price\":\"3.50\",\"quantity\":2}]}");
    assert_int_equal(check_events(list), 1);
    struct at_json one = at(list, 0), properties = at_json_get(one, "properties");
    assert_true(is_text(one, "event", "Order Completed") &&
                is_text(one, "messageId", "e-1.orders/create.order"));
    assert_true(is_text(one, "timestamp", "2026-11-20T10:00:00.000Z"));
    assert_true(is_text(properties, "order_id", "450789469") && is_text(properties, "order_name", "#1001"));
    assert_true(amount(properties, "revenue") == 398);
    struct at_json product = at(at_json_get(properties, "products"), 0);
    assert_true(is_text(product, "product_id", "7") && amount(product, "price") == 3.5);
    list = map("orders/paid",
               "{" ORDER
               ",\"cancelled_at\":\"2026-11-21T11:00:00Z\",\"refunds\":[{\"id\":5,\"created_at\":\"2026-11-"
               "22T11:00:00Z\",\"refund_line_items\":[{\"quantity\":1,\"subtotal\":9.5}]}]}");
    assert_int_equal(check_events(list), 4);
    assert_true(is_text(at(list, 1), "event", "Order Paid") &&
                is_text(at(list, 2), "event", "Order Cancelled"));
    assert_true(is_text(at(list, 3), "event", "Order Refunded"));
    assert_true(is_text(at(list, 3), "messageId", "e-1.orders/paid.refund.5"));
    assert_true(amount(at_json_get(at(list, 3), "properties"), "amount") == 9.5);
}

static void message_ids_are_made_of_what_there_is(void **state) {
    (void)state;
    assert_int_equal(map_as("orders/updated", "", "{" ORDER "}", NULL), AT_OK);
    struct at_json list = at_json_get(json_of(batch_parser, batch.data), "batch");
    assert_true(
        is_text(at(list, 1), "messageId", "orders/updated.450789469.2026-11-20T11:00:05+01:00.happened"));
    char id[AT_SHOPIFY_ID_MAX + 1], big[400];
    memset(id, 'e', AT_SHOPIFY_ID_MAX);
    id[AT_SHOPIFY_ID_MAX] = 0;
    snprintf(big, sizeof big,
             "{\"id\":\"%0120d\",\"email\":\"a@example.com\",\"refunds\":[{\"id\":\"%0150d\"}]}", 7, 8);
    assert_int_equal(map_as("orders/fulfilled", id, big, NULL), AT_OK);
    assert_int_equal(check_events(at_json_get(json_of(batch_parser, batch.data), "batch")), 3);
}

static void a_refund_is_of_whom_its_order_is(void **state) {
    (void)state;
    static const char body[] = "{\"id\":1,\"order_id\":2,\"created_at\":\"2026-11-22T11:00:00Z\"}";
    static const char *const kinds[] = {"user_id", "anonymous_id", "email", "phone", "loyalty_id"};
    assert_int_equal(map_as("refunds/create", "e", body, NULL), AT_OK);
    assert_int_equal(outcome.outcome, AT_SHOPIFY_NOBODY);
    for (size_t i = 0; i < AT_LENGTH(kinds); i++) {
        struct at_identifier who = {at_text_of(kinds[i]), at_text_of(i == 2   ? "a@example.com"
                                                                     : i == 3 ? "+491701234567"
                                                                              : "x-1")};
        assert_int_equal(map_as("refunds/create", "e", body, &who), AT_OK);
        struct at_event_defaults defaults = {
            .received_ms = NOW_MS, .is_import = true, .any_identifier = true, .rules = &rules};
        struct at_event event;
        at_arena_reset(&world.arena);
        assert_int_equal(at_event_parse(&world.arena,
                                        at(at_json_get(json_of(batch_parser, batch.data), "batch"), 0),
                                        &defaults, NULL, &event, &err),
                         AT_OK);
        assert_int_equal(event.identifier_count, 1);
        assert_true(at_text_equal(event.identifiers[0].kind, who.kind) &&
                    at_text_equal(event.identifiers[0].value, who.value));
    }
}

/* While it waits for its order nothing of who paid is kept; and it comes to the same. */
static void a_refund_that_waits_keeps_what_it_needs(void **state) {
    (void)state;
    static const char body[] = "{\"id\":5,\"order_id\":9,\"note\":\"for "
                               "Ann\",\"user_id\":7,\"processed_at\":\"2026-11-25T11:15:00Z\","
                               "\"refund_line_items\":[{\"quantity\":1,\"subtotal\":119,\"total_tax\":19,"
                               "\"line_item\":{\"product_id\":1,"
                               "\"title\":\"Ring\",\"properties\":[{\"name\":\"Engraving\",\"value\":\"Ann\"}"
                               "],\"price_set\":{\"shop_money\":{"
                               "\"amount\":\"119.00\"}},\"tax_lines\":[{\"rate\":0.19}]}}],\"transactions\":["
                               "{\"kind\":\"refund\",\"amount\":"
                               "\"119.00\",\"payment_details\":{\"credit_card_name\":\"Ann "
                               "Mustermann\",\"credit_card_number\":\"4242\"},"
                               "\"receipt\":{\"email\":\"ann@example.com\"}}],\"order_adjustments\":[{"
                               "\"kind\":\"refund_discrepancy\",\"amount\":"
                               "\"-2.50\",\"reason\":\"Ann\"}]}";
    struct at_identifier who = {AT_TEXT("email"), AT_TEXT("w@example.com")};
    struct at_bytes kept;
    assert_int_equal(map_as("refunds/create", "", body, &who), AT_OK);
    char *said = strdup(batch.data);
    at_bytes_init(&kept, 1 << 16);
    at_shopify_refund_kept(json_of(sent_parser, body), &kept);
    assert_false(kept.failed);
    assert_null(strstr(kept.data, "Ann"));
    assert_null(strstr(kept.data, "ann@"));
    assert_null(strstr(kept.data, "4242"));
    assert_int_equal(map_as("refunds/create", "", kept.data, &who), AT_OK);
    assert_string_equal(batch.data, said);
    assert_non_null(strstr(said, "102.5"));
    at_bytes_clear(&kept);
    free(said);
}

static void people_say_what_they_agreed_to(void **state) {
    (void)state;
    struct at_json list = map(
        "customers/update", "{\"id\":1,\"email\":\"a@example.com\",\"updated_at\":\"2026-11-22T11:00:00Z\","
                            "\"email_marketing_consent\":{\"state\":"
                            "\"subscribed\",\"opt_in_level\":\"confirmed_opt_in\",\"consent_updated_at\":"
                            "\"2026-11-21T11:00:00Z\"},\"sms_marketing_consent\":"
                            "{\"state\":\"unsubscribed\",\"consent_updated_at\":\"2026-11-20T11:00:00Z\"}}");
    assert_int_equal(check_events(list), 3);
    struct at_json email = at_json_get(at(list, 1), "properties"),
                   sms = at_json_get(at(list, 2), "properties");
    assert_true(is_text(email, "purpose", "email_marketing") && is_text(email, "status", "granted"));
    assert_true(is_text(email, "at", "2026-11-21T11:00:00Z") && at_json_get(email, "proof").tape);
    assert_true(is_text(sms, "purpose", "sms_marketing") && is_text(sms, "status", "denied"));
    static const char *const silent[] = {
        "\"email_marketing_consent\":{\"state\":\"not_subscribed\",\"consent_updated_at\":\"2026-11-21T11:00:"
        "00Z\"}",
        "\"email_marketing_consent\":{\"state\":\"pending\",\"consent_updated_at\":\"2026-11-21T11:00:00Z\"}",
        "\"email_marketing_consent\":{\"state\":\"subscribed\",\"consent_updated_at\":null}",
        "\"accepts_marketing\":false,\"accepts_marketing_updated_at\":\"2026-11-21T11:00:00Z\"",
        "\"accepts_marketing\":true"};
    char body[400];
    for (size_t i = 0; i < AT_LENGTH(silent); i++) {
        snprintf(body, sizeof body, "{\"id\":1,\"updated_at\":\"2026-11-22T11:00:00Z\",%s}", silent[i]);
        assert_int_equal(check_events(map("customers/update", body)), 1);
    }
    list = map(
        "customers/create",
        "{\"id\":1,\"accepts_marketing\":true,\"accepts_marketing_updated_at\":\"2026-11-21T11:00:00Z\"}");
    assert_true(is_text(at_json_get(at(list, 1), "properties"), "status", "granted"));
    list =
        map("customers/create", "{\"id\":1,\"accepts_marketing\":false,\"marketing_opt_in_level\":\"single_"
                                "opt_in\",\"accepts_marketing_updated_at\":\"2026-11-21T11:00:00Z\"}");
    assert_true(is_text(at_json_get(at(list, 1), "properties"), "status", "denied"));
}

static void the_largest_orders_fit_into_their_events(void **state) {
    (void)state;
    static char body[400 * 1024];
    static const uint32_t counts[] = {100, 101, 500, 900};
    for (size_t c = 0; c < AT_LENGTH(counts); c++) {
        size_t n = (size_t)snprintf(body, sizeof body, "{" ORDER ",\"line_items\":[");
        for (uint32_t i = 0; i < counts[c]; i++)
            n += (size_t)snprintf(
                body + n, sizeof body - n,
                "%s{\"id\":1376627%07u,\"product_id\":8736527%07u,\"variant_id\":4736521%07u,\"title\":\"A "
                "thing of some longer name, number %u, in every "
                "colour\",\"sku\":\"SKU-LONG-%06u\",\"vendor\":\"A "
                "vendor of note\",\"price\":\"1199.95\",\"quantity\":12,\"tax_lines\":[]}",
                i ? "," : "", i, i, i, i, i);
        snprintf(body + n, sizeof body - n, "]}");
        struct at_json list = map("orders/create", body);
        check_events(list);
        struct at_json products = at_json_get(at_json_get(at(list, 0), "properties"), "products");
        uint32_t told = counts[c] < AT_EVENT_ITEMS_MAX ? counts[c] : AT_EVENT_ITEMS_MAX;
        assert_int_equal(at_json_count(products), told);
        assert_int_equal(outcome.products_left_out, counts[c] - told);
        double left = amount(at_json_get(at(list, 0), "properties"), "products_left_out");
        assert_true(told == counts[c] ? isnan(left) : left == counts[c] - told);
    }
}

/* ---- whatever is sent ---- */

static const char *const topics[] = {"orders/create",    "orders/updated",   "orders/cancelled",
                                     "refunds/create",   "customers/update", "customers/delete",
                                     "checkouts/update", "carts/update"};

/* A whole body in which some value is of another kind, or some member gone. */
static void break_text(char *text, size_t size) {
    static const char *const values[] = {"null", "7",     "-0.5", "\"x\"",     "[]",
                                         "{}",   "[[1]]", "true", "\"1e999\"", "\"\""};
    size_t length = strlen(text);
    for (uint32_t tries = 1 + random_below(&seed, 3); tries; tries--) {
        size_t from = random_below(&seed, (uint32_t)length);
        char *colon = strchr(text + from, ':');
        if (!colon || colon[-1] != '"') continue;
        char *end = colon + 1;
        for (int depth = 0, quoted = 0;
             *end && (depth || quoted || (*end != ',' && *end != '}' && *end != ']')); end++) {
            if (*end == '"') quoted = !quoted;
            if (!quoted && (*end == '{' || *end == '[')) depth++;
            if (!quoted && (*end == '}' || *end == ']')) depth--;
        }
        const char *value = values[random_below(&seed, AT_LENGTH(values))];
        size_t rest = strlen(end), before = (size_t)(colon + 1 - text), more = strlen(value);
        if (before + more + rest + 1 > size) return;
        memmove(colon + 1 + more, end, rest + 1);
        memcpy(colon + 1, value, more);
        length = strlen(text);
    }
}

static const char whole[] =
    "{" ORDER ",\"token\":\"t\",\"order_id\":2,\"taxes_included\":true,\"total_tax\":\"5.00\",\"phone\":\"+"
    "491701234567\",\"customer\":{\"id\":"
    "9,\"email\":\"c@example.com\",\"updated_at\":\"2026-11-22T11:00:00Z\",\"tags\":\"a, "
    "b\",\"default_address\":{\"city\":\"X\",\"country_code\":"
    "\"DE\"},\"email_marketing_consent\":{\"state\":\"subscribed\",\"consent_updated_at\":\"2026-11-21T11:00:"
    "00Z\"}},\"note_attributes\":[{"
    "\"name\":\"attune_anonymous_id\",\"value\":\"v\"}],\"line_items\":[{\"product_id\":1,\"price\":\"2.00\","
    "\"quantity\":1,\"tax_lines\":[{"
    "\"price\":\"0.32\",\"rate\":0.19}]}],\"refunds\":[{\"id\":3,\"refund_line_items\":[{\"subtotal\":1,"
    "\"total_tax\":0.16,\"quantity\":1,"
    "\"line_item\":{\"product_id\":1,\"tax_lines\":[{\"rate\":0.19}]}}],\"order_adjustments\":[{\"kind\":"
    "\"refund_discrepancy\",\"amount\":"
    "\"-1.00\"}],\"transactions\":[{\"kind\":\"refund\",\"amount\":\"2.00\"}]}],\"refund_line_items\":[{"
    "\"subtotal\":2.5}],\"shipping_lines\":[{"
    "\"price\":\"1.00\",\"tax_lines\":[{\"price\":\"0.10\"}]}],\"discount_codes\":[{\"code\":\"C\"}],"
    "\"billing_address\":{\"first_name\":\"F\"},"
    "\"cancelled_at\":\"2026-11-22T11:00:00Z\",\"attributes\":{\"attune_anonymous_id\":\"w\"}}";

static void a_broken_body_is_survived(void **state) {
    (void)state;
    uint32_t events = 0, refused = 0;
    struct at_identifier who = {AT_TEXT("email"), AT_TEXT("w@example.com")};
    char text[4000], *first_text = NULL;
    struct at_bytes kept;
    at_bytes_init(&kept, 1 << 16);
    seed = first = first_seed(509562969);
    for (number = 0; number < 6000; number++) {
        const char *topic = topics[random_below(&seed, AT_LENGTH(topics))];
        snprintf(text, sizeof text, "%s", whole);
        break_text(text, sizeof text);
        struct at_json json;
        if (at_json_parse(sent_parser, text, strlen(text), false, &json, NULL) != AT_OK) continue;
        enum at_status status = map_as(topic, "e", text, &who);
        CHECK(status == AT_OK || (status == AT_INVALID && err.message[0] && err.code[0]));
        refused += status != AT_OK;
        if (status != AT_OK || outcome.outcome != AT_SHOPIFY_WRITTEN) continue;
        free(first_text);
        first_text = strdup(batch.data);
        events += check_events(at_json_get(json_of(batch_parser, batch.data), "batch"));
        CHECK(map_as(topic, "e", text, &who) == AT_OK && strcmp(first_text, batch.data) == 0);
        at_bytes_reset(&kept);
        at_shopify_refund_kept(json, &kept);
        if (!strcmp(topic, "refunds/create"))
            CHECK(map_as(topic, "e", kept.data, &who) == AT_OK && strcmp(first_text, batch.data) == 0);
    }
    free(first_text);
    at_bytes_clear(&kept);
    CHECK(events > 6000 && refused > 20);
    print_message("property: broken webhooks, 6000 cases, seed %llu: %u events, %u refused\n",
                  (unsigned long long)first, events, refused);
}

static int begin_all(void **state) {
    at_bytes_init(&batch, 1 << 24);
    at_identity_rules_default(&rules);
    rules.kinds[rules.kind_count++] = (struct at_identity_kind){AT_TEXT("loyalty_id"), 1, 0, true};
    rules.kinds[rules.kind_count++] =
        (struct at_identity_kind){AT_TEXT(AT_SHOPIFY_CUSTOMER_KIND), 1, 0, true};
    batch_parser = at_json_parser_new(1 << 24, 64);
    sent_parser = at_json_parser_new(1 << 24, 64);
    return begin(state);
}

static int end_all(void **state) {
    at_bytes_clear(&batch);
    at_json_parser_free(batch_parser);
    at_json_parser_free(sent_parser);
    return end(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_is_a_copy_and_what_happened),
        cmocka_unit_test(message_ids_are_made_of_what_there_is),
        cmocka_unit_test(a_refund_is_of_whom_its_order_is),
        cmocka_unit_test(a_refund_that_waits_keeps_what_it_needs),
        cmocka_unit_test(people_say_what_they_agreed_to),
        cmocka_unit_test(the_largest_orders_fit_into_their_events),
        cmocka_unit_test(a_broken_body_is_survived),
    };
    return cmocka_run_group_tests_name("profile shopify", tests, begin_all, end_all);
}
