/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit of events, orders and products: dirt of each kind is found with its exact count, clean
 * data give nothing, money decides the order, and no example holds an address.
 */
#include "measure_world.h"
#include "measure/audit_internal.h"
#include "profile/profile.h"

static const char *const nothing[] = {NULL};

static void clean_data_give_nothing(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, &(struct at_audit_options){.currency = AT_TEXT("EUR")});
    for (int i = 0; i < 50; i++) {
        char text[600];
        snprintf(text, sizeof text,
                 "{\"type\":\"page\",\"anonymousId\":\"v%d\",\"userId\":\"u%d\",\"messageId\":\"p%d\"}", i, i,
                 i);
        agreed(&world, text);
        snprintf(text, sizeof text,
                 "{\"type\":\"track\",\"event\":\"Order "
                 "Completed\",\"anonymousId\":\"v%d\",\"userId\":\"u%d\",\"messageId\":\"o%d\","
                 "\"properties\":{\"order_id\":\"n%d\",\"currency\":\"EUR\",\"revenue\":\"18.50\","
                 "\"discount\":1.5,\"tax\":3,\"total\":21.5,"
                 "\"products\":[{\"product_id\":\"a\",\"price\":10,\"quantity\":1},{\"product_id\":\"b\","
                 "\"price\":\"5.00\",\"quantity\":2}]}}",
                 i, i, i, i);
        agreed(&world, text);
    }
    agreed(&world, "{\"type\":\"track\",\"event\":\"Order "
                   "Refunded\",\"userId\":\"u1\",\"messageId\":\"r\",\"properties\":{\"order_id\":\"n1\","
                   "\"refund\":18.5}}");
    audit_only(&world, nothing);
    const struct at_audit_result *result = audit_result(&world);
    assert_int_equal(result->orders, 50);
    assert_int_equal(result->people, 50);
    assert_int_equal(result->visits.count, 50);
    assert_int_equal(result->visits.recognised, 50);
    assert_true(result->revenue > 924.99 && result->revenue < 925.01);
    assert_string_equal(result->currency, "EUR");
    assert_int_equal(result->next_count, 0);
    audit_end(&world);
}

static void every_finding_has_its_words(void **state) {
    (void)state;
    for (int i = 0; i < CODES; i++) {
        const struct definition *one = &audit_definitions[i];
        const char *texts[] = {one->code, one->title, one->unit, one->why, one->act};
        for (size_t k = 0; k < AT_LENGTH(texts); k++) assert_true(texts[k] && texts[k][0]);
        assert_int_equal(one->act[strlen(one->act) - 1], '.');
        assert_int_equal(one->why[strlen(one->why) - 1], '.');
        assert_true(strlen(one->code) <= 40 && strlen(one->title) <= 75);
        for (int k = 0; k < i; k++) assert_string_not_equal(one->code, audit_definitions[k].code);
    }
}

/* ---- events ---- */

static void events_told_twice(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, NULL);
    const char *one = "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"u\",\"messageId\":\"1\",\"sentAt\":"
                      "\"2026-11-26T08:00:00Z\"}";
    audit_event(&world, one);
    audit_event(&world, "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"u\",\"messageId\":\"1\",\"sentAt\":"
                        "\"2026-11-26T08:00:09Z\"}"); /* sent again */
    audit_event(&world, "{\"type\":\"track\",\"event\":\"B\",\"userId\":\"u\",\"messageId\":\"1\"}");
    audit_event(&world, "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"u\"}");
    audit_event(&world, "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"u\"}");
    audit_event_row(&world, "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"u\",\"messageId\":\"7\"}", 0,
                    (struct at_audit_event){.is_conflict = true});
    FOUND(&world, "events_duplicate", 1, 6, "1");
    FOUND(&world, "events_conflict", 2, 6, "7");
    FOUND(&world, "events_without_message_id", 2, 3, NULL);
    assert_int_equal(audit_result(&world)->events, 3); /* what is a copy counts no further */
    audit_end(&world);
}

static void refusals_and_nobody(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, NULL);
    at_audit_refused(world.audit, "no_id", AT_TEXT("a.jsonl:3"));
    at_audit_refused(world.audit, "no_id", AT_TEXT("a.jsonl:4"));
    at_audit_refused(world.audit, "bad_time", AT_TEXT("a.jsonl:5"));
    audit_event(
        &world,
        "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"null\",\"anonymousId\":\"v\",\"messageId\":\"1\"}");
    audit_event(
        &world,
        "{\"type\":\"track\",\"event\":\"A\",\"userId\":0,\"anonymousId\":\"v\",\"messageId\":\"2\"}");
    audit_event(
        &world,
        "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"\",\"anonymousId\":\"v\",\"messageId\":\"3\"}");
    at_audit_withheld(world.audit, 94);
    FOUND(&world, "events_without_identity", 2, 100, "a.jsonl:4");
    FOUND(&world, "events_refused", 1, 100, "a.jsonl:5");
    PART(&world, "events_refused", "bad_time", 1);
    FOUND(&world, "ids_that_name_nobody", 2, 3, "2");
    PART(&world, "ids_that_name_nobody", "userId", 2);
    FOUND(&world, "events_withheld", 94, 100, NULL);
    audit_end(&world);
}

static void clocks_and_lateness(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, NULL);
#define EVENT(id)                                                                                            \
    "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"u\",\"messageId\":\"" id "\"}"
    audit_event_row(&world, EVENT("right"), 0, (struct at_audit_event){.sent_ms = NOW_MS - 2000});
    audit_event_row(&world, EVENT("ahead"), 0, (struct at_audit_event){.sent_ms = NOW_MS + AT_HOUR_MS});
    audit_event_row(&world, EVENT("behind"), 0, (struct at_audit_event){.sent_ms = NOW_MS - 2 * AT_DAY_MS});
    /* the clock rule moved it: the sender's clock was 10 minutes ahead */
    audit_event_row(
        &world, EVENT("moved"), 0,
        (struct at_audit_event){.at_ms = NOW_MS - 1000, .original_ms = NOW_MS + 10 * AT_MINUTE_MS});
    audit_event_row(&world, EVENT("edge"), 0, (struct at_audit_event){.sent_ms = NOW_MS + 5 * AT_MINUTE_MS});
    audit_event_row(&world, EVENT("tomorrow"), 0, (struct at_audit_event){.at_ms = NOW_MS + AT_HOUR_MS});
    audit_event_row(
        &world, EVENT("next year"), 0,
        (struct at_audit_event){.at_ms = NOW_MS, .original_ms = NOW_MS + 300 * AT_DAY_MS, .sent_ms = NOW_MS});
    int64_t late[] = {59 * AT_MINUTE_MS, 2 * AT_HOUR_MS, 3 * AT_DAY_MS, 5 * AT_DAY_MS, 100 * AT_DAY_MS};
    for (size_t i = 0; i < AT_LENGTH(late); i++) {
        char text[200];
        snprintf(
            text, sizeof text,
            "{\"type\":\"track\",\"event\":\"Product Viewed\",\"userId\":\"u\",\"messageId\":\"late %zu\"}",
            i);
        audit_event_row(&world, text, 0,
                        (struct at_audit_event){.at_ms = NOW_MS - late[i], .received_ms = NOW_MS});
    }
    FOUND(&world, "clocks_wrong", 3, 12, "moved");
    PART(&world, "clocks_wrong", "ahead", 2);
    PART(&world, "clocks_wrong", "behind", 1);
    PART(&world, "clocks_wrong", "by more than a day", 1);
    FOUND(&world, "events_from_the_future", 2, 12, "next year");
    FOUND(&world, "events_late", 4, 12, "late 1");
    PART(&world, "events_late", "by 1 to 24 hours", 1);
    PART(&world, "events_late", "by 1 to 7 days", 2);
    PART(&world, "events_late", "by more than 7 days", 1);
    audit_end(&world);
}

static void misspelt_names_and_their_money(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, NULL);
    for (int i = 0; i < 3; i++)
        audit_event(&world, "{\"type\":\"track\",\"event\":\"Order "
                            "Complete\",\"userId\":\"u\",\"properties\":{\"total\":50}}");
    audit_event(&world,
                "{\"type\":\"track\",\"event\":\"Prodcut Viewed\",\"userId\":\"u\",\"messageId\":\"x\"}");
    audit_event(&world,
                "{\"type\":\"track\",\"event\":\"Sofa Sat On\",\"userId\":\"u\"}"); /* the shop's own word */
    audit_event(&world, ORDER("u", "1", GOOD));
    FOUND(&world, "event_names_misspelt", 4, 6, "x");
    PART(&world, "event_names_misspelt", "order_complete: order_completed?", 3);
    PART(&world, "event_names_misspelt", "prodcut_viewed: product_viewed?", 1);
    assert_true(audit_found(&world, "event_names_misspelt")->money > 149);
    assert_string_equal(audit_result(&world)->findings[0].code,
                        "event_names_misspelt"); /* more than all revenue */
    audit_end(&world);
}

/* ---- orders ---- */

static void orders_that_do_not_add_up(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, &(struct at_audit_options){.currency = AT_TEXT("EUR")});
#define TWO                                                                                                  \
    "\"products\":[{\"product_id\":\"a\",\"price\":30,\"quantity\":2},{\"product_id\":\"b\",\"price\":40}]"
    agreed(&world, VISIT("u", "v"));
    agreed(&world, ORDER("u", "good", "\"currency\":\"eur\",\"revenue\":90,\"discount\":10," TWO));
    agreed(&world, ORDER("u", "cent", "\"currency\":\"EUR\",\"revenue\":99.98," TWO)); /* rounding */
    agreed(&world, ORDER("u", "discount", "\"currency\":\"EUR\",\"revenue\":100,\"discount\":10," TWO));
    agreed(&world, ORDER("u", "tax", "\"currency\":\"EUR\",\"revenue\":124,\"tax\":19,\"shipping\":5," TWO));
    agreed(&world, ORDER("u", "cents", "\"currency\":\"EUR\",\"revenue\":10000," TWO));
    agreed(&world, ORDER("u", "odd", "\"currency\":\"EUR\",\"revenue\":61," TWO));
    agreed(&world, ORDER("u", "unsaid", "\"currency\":\"EUR\"," TWO)); /* nothing to compare */
    agreed(&world, ORDER("u", "priceless",
                         "\"currency\":\"EUR\",\"revenue\":61,\"products\":[{\"product_id\":\"a\"}]"));
    FOUND(&world, "orders_sum_differs", 4, 8, "odd");
    PART(&world, "orders_sum_differs", "discount not taken off", 1);
    PART(&world, "orders_sum_differs", "tax and shipping included", 1);
    PART(&world, "orders_sum_differs", "cents for whole money", 1);
    PART(&world, "orders_sum_differs", "another reason", 1);
    audit_only(&world, (const char *const[]){"orders_sum_differs", "orders_enormous", NULL});
    audit_end(&world);
}

static void orders_without_what_they_need(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, &(struct at_audit_options){.currency = AT_TEXT("EUR")});
    agreed(&world, VISIT("u", "v"));
    for (int i = 0; i < 20; i++) {
        char text[400];
        snprintf(
            text, sizeof text,
            "{\"type\":\"track\",\"event\":\"Order "
            "Completed\",\"anonymousId\":\"v-u\",\"userId\":\"u\",\"properties\":{\"order_id\":\"n%d\"," GOOD
            "}}",
            i);
        agreed(&world, text);
    }
    agreed(&world, ORDER("u", "nocur", "\"revenue\":7,\"products\":[\"p\"]"));
    agreed(&world, ORDER("u", "usd", "\"currency\":\"USD\",\"revenue\":8,\"products\":[\"p\"]"));
    agreed(&world, ORDER("u", "empty", "\"currency\":\"EUR\",\"revenue\":9"));
    agreed(&world, ORDER("u", "zero", "\"currency\":\"EUR\",\"revenue\":0,\"products\":[\"p\"]"));
    agreed(&world, ORDER("u", "below", "\"currency\":\"EUR\",\"revenue\":-4,\"products\":[\"p\"]"));
    agreed(&world, ORDER("u", "unsaid", "\"currency\":\"EUR\",\"products\":[\"p\"]"));
    agreed(&world, ORDER("u", "huge", "\"currency\":\"EUR\",\"revenue\":5000,\"products\":[\"p\"]"));
    agreed(&world, "{\"type\":\"track\",\"event\":\"Order "
                   "Completed\",\"userId\":\"u\",\"messageId\":\"noid\",\"properties\":{" GOOD "}}");
    /* told again by another sender, with another amount */
    agreed(&world, "{\"type\":\"track\",\"event\":\"Order "
                   "Completed\",\"userId\":\"u\",\"messageId\":\"again\",\"properties\":{\"order_id\":\"n1\","
                   "\"currency\":\"EUR\",\"revenue\":21,\"products\":[\"p\"]}}");
    agreed(&world,
           "{\"type\":\"track\",\"event\":\"Order "
           "Completed\",\"userId\":\"u\",\"messageId\":\"again2\",\"properties\":{\"order_id\":\"n2\"," GOOD
           "}}");
    FOUND(&world, "orders_without_currency", 1, 28, "nocur");
    FOUND(&world, "orders_other_currency", 1, 28, "usd");
    PART(&world, "orders_other_currency", "USD", 1);
    FOUND(&world, "orders_without_items", 1, 28, "empty");
    FOUND(&world, "orders_not_positive", 2, 28, "below");
    FOUND(&world, "orders_without_revenue", 1, 28, "unsaid");
    FOUND(&world, "orders_enormous", 1, 28, "huge");
    FOUND(&world, "orders_without_id", 1, 28, "noid");
    FOUND(&world, "orders_told_twice", 2, 28, "n1");
    PART(&world, "orders_told_twice", "with another amount", 1);
    assert_string_equal(audit_result(&world)->findings[0].code,
                        "orders_enormous"); /* it has nearly all the money */
    audit_end(&world);
}

static void where_nobody_says_a_currency_no_money_is_at_stake(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, NULL);
    agreed(&world, ORDER("u", "1", "\"revenue\":7,\"products\":[\"p\"]"));
    agreed(&world, ORDER("u", "2", "\"revenue\":7,\"products\":[\"p\"]"));
    FOUND(&world, "orders_without_currency", 2, 2, "2");
    assert_true(at_is_missing(audit_found(&world, "orders_without_currency")->money));
    assert_string_equal(audit_result(&world)->currency, "");
    audit_end(&world);
}

static void refunds_and_their_orders(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, &(struct at_audit_options){.currency = AT_TEXT("EUR")});
#define REFUND(order, id, amount)                                                                            \
    "{\"type\":\"track\",\"event\":\"Order "                                                                 \
    "Refunded\",\"userId\":\"u\",\"properties\":{\"order_id\":\"" order "\",\"refund_id\":\"" id             \
    "\",\"refund\":" amount "}}"
    agreed(&world, VISIT("u", "v"));
    agreed(&world, REFUND("later", "r1", "5")); /* before its order */
    agreed(&world, ORDER("u", "later", GOOD));
    agreed(&world, REFUND("later", "r2", "15"));
    agreed(&world, REFUND("never", "r3", "5"));
    agreed(&world, ORDER("u", "over", GOOD));
    agreed(&world, REFUND("over", "r4", "12"));
    agreed(&world, REFUND("over", "r5", "12"));
    FOUND(&world, "refunds_without_order", 1, 5, "never");
    FOUND(&world, "refunds_above_order", 1, 2, "over");
    assert_true(audit_found(&world, "refunds_above_order")->money > 3.99);
    audit_end(&world);
}

/* ---- products ---- */

static void product(struct audit_world *world, const char *document) {
    struct at_json json = audit_json(world, document);
    struct at_audit_product one = {.id = at_json_text(at_json_get(json, "id")),
                                   .document = json,
                                   .price = at_amount(at_json_get(json, "price")),
                                   .list_price = at_amount(at_json_get(json, "list_price")),
                                   .stock = at_amount(at_json_get(json, "stock")),
                                   .title = at_json_text(at_json_get(json, "title")),
                                   .brand = at_json_text(at_json_get(json, "brand")),
                                   .category = at_json_text(at_json_get(json, "category"))};
    (void)at_event_moment(at_json_get(json, "updated_at"), &one.updated_ms, NULL);
    at_audit_product(world->audit, &one);
}

static void products_that_lack_something(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, &(struct at_audit_options){.has_catalog = true, .currency = AT_TEXT("EUR")});
#define WHOLE(id, title)                                                                                     \
    "{\"id\":\"" id "\",\"title\":\"" title                                                                  \
    "\",\"price\":5,\"stock\":1,\"brand\":\"B\",\"category\":\"C\",\"image\":\"i.jpg\",\"description\":"     \
    "\"d\",\"updated_at\":\"2026-11-25\""
    product(&world, WHOLE("good", "One") ",\"list_price\":9}");
    product(&world, "{\"id\":\"images\",\"texts\":{\"de\":{\"title\":\"T\",\"description\":\"d\"}},\"price\":"
                    "5,\"stock\":0,\"brand\":\"B\",\"category\":\"C\",\"images\":{\"worn\":\"w.jpg\"},"
                    "\"updated_at\":\"2026-11-25\"}");
    product(&world, WHOLE("twin 1", "Sofa") "}");
    product(&world, WHOLE("twin 2", "SOFA") "}");
    product(&world, WHOLE("old", "Old") ",\"updated_at\":\"2026-10-01\"}");
    product(&world, WHOLE("below", "Below") ",\"list_price\":4}");
    product(&world,
            "{\"id\":\"free\",\"title\":\"Free\",\"price\":0,\"stock\":1,\"brand\":\"B\",\"category\":\"C\","
            "\"image\":\"i\",\"description\":\"d\",\"updated_at\":\"2026-11-25\"}");
    product(&world, "{\"id\":\"bare\",\"images\":[],\"description\":\"\"}");
    agreed(&world, VISIT("u", "v"));
    agreed(
        &world,
        ORDER("u", "1",
              "\"currency\":\"EUR\",\"revenue\":30,\"products\":[{\"product_id\":\"bare\",\"price\":30}]"));
    static const char *const bare[] = {"products_without_price",       "products_without_stock",
                                       "products_without_title",       "products_without_picture",
                                       "products_without_description", "products_without_category",
                                       "products_without_brand",       "products_without_updated_at"};
    for (size_t i = 0; i < AT_LENGTH(bare); i++) {
        FOUND(&world, bare[i], 1, 8, "bare");
        assert_true(audit_found(&world, bare[i])->money > 29.9); /* it was sold */
    }
    FOUND(&world, "products_price_not_positive", 1, 8, "free");
    FOUND(&world, "products_same_title", 2, 8, "twin 2");
    FOUND(&world, "products_stale", 1, 8, "old");
    FOUND(&world, "products_list_price_below_price", 1, 8, "below");
    FOUND(&world, "events_unknown_product", 1, 2,
          "bare"); /* no root: the audit is told who is there by rows */
    audit_end(&world);
}

/* ---- what is shown ---- */

static void no_example_holds_an_address(void **state) {
    (void)state;
    char out[AT_AUDIT_EXAMPLE_MAX];
    static const char *const texts[][2] = {
        {"ann@example.com", "a…@example.com"}, {"+49 170 1234567", "+49…67"}, {"@x", "…@x"}, {"+1", "+1"},
        {"100000123456", "100000123456"},      {"\xC3\xA4nn@x.de", "…@x.de"}, {"", ""}};
    for (size_t i = 0; i < AT_LENGTH(texts); i++) {
        audit_mask(at_text_of(texts[i][0]), out);
        assert_string_equal(out, texts[i][1]);
    }
    char longest[400];
    memset(longest, 'x', sizeof longest);
    longest[399] = 0;
    audit_mask(at_text_of(longest), out);
    assert_int_equal(strlen(out), AT_AUDIT_EXAMPLE_MAX - 1);
    for (size_t i = 0; i + 3 < sizeof longest; i += 2) memcpy(longest + i, "\xC3\xA4", 3);
    audit_mask(at_text_of(longest), out); /* never inside a character */
    assert_memory_equal(out + strlen(out) - 5, "\xC3\xA4…", 5);
    longest[200] = '@';
    audit_mask(at_text_of(longest), out);
    assert_true(strlen(out) < AT_AUDIT_EXAMPLE_MAX);
    struct audit_world world;
    audit_begin(&world, NULL);
    for (int i = 0; i < 2; i++)
        audit_event(&world, i ? "{\"type\":\"identify\",\"userId\":\"ann@example.com\",\"traits\":{\"email\":"
                                "\"b@example.com\"}}"
                              : "{\"type\":\"identify\",\"userId\":\"ann@example.com\",\"traits\":{\"email\":"
                                "\"a@example.com\"}}");
    FOUND(&world, "people_conflicting", 1, 1, "a…@example.com");
    audit_end(&world);
}

static void value_decides_the_order_and_what_is_next(void **state) {
    (void)state;
    struct audit_world world;
    audit_begin(&world, &(struct at_audit_options){.currency = AT_TEXT("EUR")});
    agreed(&world, VISIT("u", "v"));
    for (int i = 0; i < 9; i++) {
        char text[400];
        snprintf(
            text, sizeof text,
            "{\"type\":\"track\",\"event\":\"Order "
            "Completed\",\"anonymousId\":\"v-u\",\"userId\":\"u\",\"properties\":{\"order_id\":\"n%d\"," GOOD
            "}}",
            i);
        agreed(&world, text);
    }
    agreed(&world, ORDER("u", "x", "\"currency\":\"EUR\",\"revenue\":20")); /* a tenth of the money, medium */
    audit_event(
        &world,
        "{\"type\":\"track\",\"event\":\"Prodct Viewed\",\"userId\":\"u\"}"); /* 1 of 12 events, high */
    const struct at_audit_result *result = audit_result(&world);
    const struct at_audit_finding *empty = audit_found(&world, "orders_without_items"),
                                  *name = audit_found(&world, "event_names_misspelt");
    assert_true(empty->value > 0.0499 && empty->value < 0.0501); /* 1/2 · 20/200 */
    assert_true(name->value > 0.0083 && name->value < 0.0084);   /* 1 · 1/12 · 1/10 */
    assert_true(empty < name);
    for (uint32_t i = 1; i < result->finding_count; i++)
        assert_true(result->findings[i - 1].value >= result->findings[i].value);
    assert_true(result->next_count >= 2 &&
                result->findings[result->next[0]].value >= result->findings[result->next[1]].value);
    for (uint32_t i = 0; i < result->next_count; i++)
        for (uint32_t k = 0; k < i; k++)
            assert_int_not_equal(result->findings[result->next[i]].deed,
                                 result->findings[result->next[k]].deed);
    audit_end(&world);
}

/* 200,000 people in a megabyte: a third of them has two addresses, and the estimate says how sure it is. */
static void estimates_say_so(void **state) {
    (void)state;
    struct audit_world world;
    struct at_account account = {.limit = SIZE_MAX};
    struct at_identity_rules rules;
    at_identity_rules_default(&rules);
    uint32_t email = at_identity_kind_find(&rules, AT_TEXT("email"));
    enum { PEOPLE = 200000, MEMORY = 4 << 20 };
    size_t most = 0;
    audit_begin(&world, &(struct at_audit_options){.memory_bytes = MEMORY, .account = &account});
    for (uint64_t i = 0; i < PEOPLE; i++)
        for (uint64_t k = 0; k < (i % 3 ? 1 : 2); k++) {
            at_audit_identifier(world.audit,
                                &(struct at_audit_identifier){1000000 + 2 * i + k, i + 1, email, NOW_MS});
            if (at_account_used(&account) > most) most = at_account_used(&account);
        }
    const struct at_audit_finding *found = audit_found(&world, "people_conflicting");
    assert_true(most <= MEMORY && most > MEMORY / 8);
    assert_true(found->error > 0 && found->error < 0.1);
    double third = PEOPLE / 3.0;
    assert_true((double)found->count > third * (1 - 3 * found->error) &&
                (double)found->count < third * (1 + 3 * found->error));
    assert_int_equal(world.result->identifiers,
                     PEOPLE + (PEOPLE + 2) / 3); /* what is counted row by row is exact */
    audit_end(&world);
    assert_int_equal(at_account_used(&account), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_data_give_nothing),
        cmocka_unit_test(every_finding_has_its_words),
        cmocka_unit_test(events_told_twice),
        cmocka_unit_test(refusals_and_nobody),
        cmocka_unit_test(clocks_and_lateness),
        cmocka_unit_test(misspelt_names_and_their_money),
        cmocka_unit_test(orders_that_do_not_add_up),
        cmocka_unit_test(orders_without_what_they_need),
        cmocka_unit_test(where_nobody_says_a_currency_no_money_is_at_stake),
        cmocka_unit_test(refunds_and_their_orders),
        cmocka_unit_test(products_that_lack_something),
        cmocka_unit_test(no_example_holds_an_address),
        cmocka_unit_test(value_decides_the_order_and_what_is_next),
        cmocka_unit_test(estimates_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
