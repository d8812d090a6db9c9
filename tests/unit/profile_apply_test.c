/* SPDX-License-Identifier: Apache-2.0
 *
 * What each event does to a profile, worked out by hand: visits, traits, basket, orders, ceilings, windows.
 */
#include <math.h>
#include "profile_world.h"

ONE_WORLD
GENERATED_CASES;

static void a_visit_ends_after_half_an_hour(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    const char *page = "{\"type\":\"page\",\"anonymousId\":\"a\",\"context\":{\"page\":{\"path\":\"/in\"},"
                       "\"campaign\":{\"source\":\"mail\",\"name\":\"spring\",\"medium\":\"email\"},"
                       "\"userAgent\":\"Mozilla/5.0 (iPad)\"}}";
    happen(&world, &p, NOW_MS, page);
    happen(&world, &p, NOW_MS + AT_SESSION_GAP_MS, TRACK("Signed In", "{}"));
    assert_int_equal(p->sessions, 1);
    assert_true(p->visit.events == 2 && p->visit.pages == 1);
    assert_true(p->acquired.at_ms == NOW_MS);
    assert_true(at_text_is(p->acquired.source, "mail") && at_text_is(p->acquired.campaign, "spring"));
    assert_true(at_text_is(p->acquired.landing, "/in") && at_text_is(p->acquired.device, "tablet"));
    happen(&world, &p, NOW_MS + 2 * AT_SESSION_GAP_MS + 1, TRACK("Signed In", "{}"));
    assert_int_equal(p->sessions, 2);
    assert_true(p->visit.started_ms == NOW_MS + 2 * AT_SESSION_GAP_MS + 1 && p->visit.events == 1);
    assert_true(at_text_is(p->visit.source, "") && at_text_is(p->acquired.source, "mail"));
    happen(&world, &p, NOW_MS - AT_DAY_MS, page); /* told of later */
    assert_true(p->sessions == 2 && p->visit.events == 1 && p->first_seen_ms == NOW_MS - AT_DAY_MS);
    at_profile_unref(p);
}

static void traits_are_merged_and_null_removes(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS,
           "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"a\":1,\"b\":{\"c\":\"}\\\"{,\"},\"d\":[1,2]"
           "}}");
    assert_true(at_text_is(p->traits, "{\"a\":1,\"b\":{\"c\":\"}\\\"{,\"},\"d\":[1,2]}"));
    happen(&world, &p, NOW_MS,
           "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"a\":\"x\",\"d\":null,\"a\":2}}");
    assert_true(at_text_is(p->traits, "{\"b\":{\"c\":\"}\\\"{,\"},\"a\":2}"));
    happen(&world, &p, NOW_MS,
           "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"b\":null,\"a\":null,\"z\":null}}");
    assert_true(at_text_is(p->traits, "{}"));
    happen(&world, &p, NOW_MS,
           "{\"type\":\"page\",\"userId\":\"u\",\"context\":{\"traits\":{\"\\u00fc\":true}}}");
    assert_true(at_text_is(p->traits, "{\"\xC3\xBC\":true}"));
    happen(&world, &p, NOW_MS,
           "{\"type\":\"group\",\"userId\":\"u\",\"groupId\":\"g\",\"traits\":{\"size\":9}}");
    assert_true(at_text_is(p->traits, "{\"\xC3\xBC\":true}")); /* the company's */
    at_profile_unref(p);
}

static void too_many_traits_drive_the_oldest_out(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    static char text[40000], value[20000];
    memset(value, 'x', 1000);
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"t%02d\":\"%s\"}}",
                 i, value);
        happen(&world, &p, NOW_MS, text);
        assert_true(p->traits.length <= TRAITS_MAX);
    }
    char *stored = text_of_profile(&world, p);
    struct at_json traits = at_json_get(json_of(world.profile_parser, stored), "traits");
    free(stored);
    assert_int_equal(at_json_count(traits), 16); /* 16 × 1,009 bytes and the commas fit, 17 do not */
    assert_true(at_json_is_string(at_json_get(traits, "t19")) && !at_json_get(traits, "t03").tape);
    memset(value, 'y', sizeof value - 1); /* one that fits nowhere changes nothing */
    snprintf(text, sizeof text,
             "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"big\":\"%s\",\"t00\":1}}", value);
    happen(&world, &p, NOW_MS, text);
    assert_true(memmem(p->traits.data, p->traits.length, "\"t19\"", 5) != NULL);
    assert_true(memmem(p->traits.data, p->traits.length, "\"t00\":1", 7) != NULL);
    assert_null(memmem(p->traits.data, p->traits.length, "big", 3));
    at_profile_unref(p);
}

static void the_basket_follows(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS, TRACK("Product Added", "{\"product_id\":\"A\",\"price\":10,\"quantity\":2}"));
    happen(&world, &p, NOW_MS + 1,
           TRACK("Product Added", "{\"product_id\":\"B\",\"price\":5,\"cart_url\":\"/c\"}"));
    happen(&world, &p, NOW_MS + 2, TRACK("Product Added", "{\"product_id\":\"A\",\"price\":9}"));
    assert_true(p->basket_count == 2 && at_basket_value(p) == 32 && at_text_is(p->basket_url, "/c"));
    happen(&world, &p, NOW_MS + 3, TRACK("Product Removed", "{\"product_id\":\"A\",\"quantity\":3}"));
    assert_true(p->basket_count == 1 && at_text_is(p->basket[0].product, "B"));
    happen(&world, &p, NOW_MS + 1,
           TRACK("Product Added", "{\"product_id\":\"Z\"}")); /* late: a newer state is known */
    assert_int_equal(p->basket_count, 1);
    happen(
        &world, &p, NOW_MS + 4,
        TRACK("Cart Viewed",
              "{\"products\":[{\"product_id\":\"C\",\"price\":1.5,\"quantity\":4},{\"product_id\":\"D\"}]}"));
    assert_true(p->basket_count == 2 && at_basket_value(p) == 6 && at_is_missing(p->basket[1].price));
    happen(&world, &p, NOW_MS + 5,
           TRACK("Order Completed", "{\"order_id\":\"1\",\"products\":[{\"product_id\":\"C\"}]}"));
    assert_true(p->basket_count == 0 && at_text_is(p->basket_url, ""));
    for (int i = 0; i < BASKET_MAX + 5; i++) {
        char text[200];
        snprintf(text, sizeof text, TRACK("Product Added", "{\"product_id\":\"N%d\"}"), i);
        happen(&world, &p, NOW_MS + 10 + i, text);
    }
    assert_true(p->basket_count == BASKET_MAX && at_text_is(p->basket[0].product, "N5"));
    at_profile_unref(p);
}

static void orders_and_refunds_add_up(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    struct stored lost;
    happen(&world, &p, NOW_MS,
           TRACK("Order Completed",
                 "{\"order_id\":\"1\",\"revenue\":80,\"products\":[{\"product_id\":\"A\",\"price\":10,"
                 "\"quantity\":2,\"category\":\"x\"},{\"product_id\":\"B\",\"price\":60,\"category\":\"y\"},"
                 "{\"product_id\":\"A\",\"price\":10}]}"));
    assert_true(p->orders.count == 1 && p->orders.revenue == 80 && p->order_list[0].quantity == 4);
    assert_true(at_text_is(p->order_list[0].first_product, "B") &&
                at_text_is(p->order_list[0].category, "y"));
    const struct at_met_product *a = at_profile_met(p, AT_TEXT("A"));
    assert_true(a->bought == 1 && a->bought_quantity == 3 &&
                a->bought_at_ms == NOW_MS); /* two lines, one order */
    assert_true(p->tastes[0].weight == 6);  /* each item once an event */
    /* the same order told by somebody else: the claim is lost */
    assert_int_equal(
        parse_at(&world, TRACK("Order Completed", "{\"order_id\":\"1\",\"revenue\":80,\"products\":[\"A\"]}"),
                 NOW_MS),
        AT_OK);
    keep_event(&world, false, &lost);
    p = step(&world, p, &lost, true);
    stored_free(&lost);
    assert_true(p->orders.count == 1 && at_profile_met(p, AT_TEXT("A"))->bought == 1);
    assert_int_equal(at_profile_counted(p, AT_TEXT("order_completed"))->total, 1);
    happen(&world, &p, NOW_MS + 1,
           TRACK("Order Refunded", "{\"order_id\":\"1\",\"refund_id\":\"r1\",\"amount\":\"-30.25\"}"));
    assert_true(p->order_list[0].refunded == 30.25 && p->orders.refunded == 30.25);
    happen(&world, &p, NOW_MS + 2,
           TRACK("Order Refunded", "{\"order_id\":\"1\",\"refund_id\":\"r2\"}")); /* the rest */
    assert_true(at_order_refunded(&p->order_list[0]) == 80 && p->orders.refunded == 80 &&
                p->orders.revenue == 80);
    happen(&world, &p, NOW_MS + 3, TRACK("Order Refunded", "{\"order_id\":\"other\",\"amount\":5}"));
    assert_true(p->orders.refunded == 85 && at_order_refunded(&p->order_list[0]) == 80);
    assert_true(p->awaited_count == 1);
    happen(&world, &p, NOW_MS + 4, TRACK("Order Refunded", "{\"order_id\":\"other\"}"));
    assert_true(p->orders.refunded == 85); /* the rest of an order that has not come */
    happen(&world, &p, NOW_MS + 5, TRACK("Order Completed", "{\"order_id\":\"other\",\"revenue\":7.5}"));
    assert_true(p->orders.refunded == 87.5 && p->awaited_count == 0);
    at_profile_unref(p);
}

/* A copy told by somebody else: it has not the claim. */
static void tell_again(struct at_profile **p, int64_t at_ms, const char *text) {
    struct stored copy;
    if (parse_at(&world, text, at_ms) != AT_OK) fail_msg("%s: %s", world.err.message, text);
    keep_event(&world, false, &copy);
    *p = step(&world, *p, &copy, true);
    stored_free(&copy);
}

static void a_later_copy_fills_what_the_first_lacks(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS, TRACK("Order Completed", "{\"order_id\":\"#1001\"}"));
    assert_true(p->orders.count == 1 && p->orders.revenue == 0 && at_text_is(p->order_list[0].id, "1001"));
    tell_again(
        &p, NOW_MS + 500,
        TRACK("Order Completed",
              "{\"order_id\":4507,\"order_name\":\"#1001\",\"order_number\":1001,\"revenue\":80,"
              "\"updated_at\":\"2026-11-26T10:00:00Z\",\"products\":[{\"product_id\":\"A\",\"price\":10,"
              "\"quantity\":2,\"brand\":\"x\"}]}"));
    const struct at_order *order = &p->order_list[0];
    assert_true(p->orders.count == 1 && p->orders.revenue == 80 && order->revenue == 80);
    assert_true(at_text_is(order->also[0], "4507") && order->also[1].length == 0);
    assert_true(order->at_ms == NOW_MS && order->quantity == 2 && at_text_is(order->first_product, "A"));
    assert_true(at_profile_met(p, AT_TEXT("A"))->bought == 1 && p->tastes[0].weight == 6);
    /* an older version changes nothing; the page's word neither; a newer version does */
    tell_again(&p, NOW_MS + 500,
               TRACK("Order Completed",
                     "{\"order_id\":4507,\"revenue\":60,\"updated_at\":\"2026-11-26T09:00:00Z\"}"));
    tell_again(&p, NOW_MS - 500, TRACK("Order Completed", "{\"order_id\":\"1001\",\"revenue\":99}"));
    assert_true(p->orders.revenue == 80 && p->order_list[0].at_ms == NOW_MS - 500);
    tell_again(&p, NOW_MS + 500,
               TRACK("Order Completed",
                     "{\"order_id\":4507,\"revenue\":75.5,\"updated_at\":\"2026-11-27T09:00:00Z\","
                     "\"products\":[{\"product_id\":\"A\",\"quantity\":3}]}"));
    assert_true(p->orders.revenue == 75.5 && at_profile_met(p, AT_TEXT("A"))->bought_quantity == 3);
    assert_true(at_profile_met(p, AT_TEXT("A"))->bought == 1 && p->tastes[0].weight == 6);
    const struct at_event_count *counted = at_profile_counted(p, AT_TEXT("order_completed"));
    assert_true(counted->total == 1 && counted->first_ms == NOW_MS - 500 && counted->last_ms == NOW_MS - 500);
    happen(&world, &p, NOW_MS + 60 * AT_DAY_MS,
           TRACK("Order Refunded", "{\"order_id\":\"4507\",\"refund_id\":\"r\",\"amount\":5}"));
    assert_true(p->order_list[0].refunded == 5 && p->awaited_count == 0);
    at_profile_unref(p);
}

static void a_number_is_another_order_s_a_year_before(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS - 365 * AT_DAY_MS,
           TRACK("Order Completed", "{\"order_id\":\"1001\",\"revenue\":10}"));
    happen(&world, &p, NOW_MS,
           TRACK("Order Completed", "{\"order_id\":\"4507\",\"order_number\":\"1001\",\"revenue\":20}"));
    assert_true(p->orders.count == 2 && p->orders.revenue == 30);
    happen(&world, &p, NOW_MS + AT_ORDER_SAME_MS, /* as the shop's own server names it */
           TRACK("Order Completed", "{\"order_id\":\"9\",\"order_number\":\"4507\",\"revenue\":20}"));
    assert_true(p->orders.count == 2 && p->orders.revenue == 30);
    at_profile_unref(p);
}

static void what_was_cancelled_is_no_order(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS,
           TRACK("Order Completed", "{\"order_id\":\"1\",\"revenue\":10,\"products\":[\"A\"]}"));
    happen(&world, &p, NOW_MS + AT_DAY_MS, TRACK("Order Completed", "{\"order_id\":\"2\",\"revenue\":20.1}"));
    happen(&world, &p, NOW_MS + 2 * AT_DAY_MS,
           TRACK("Order Refunded", "{\"order_id\":\"2\",\"refund_id\":\"r\",\"amount\":20.1}"));
    tell_again(&p, NOW_MS + 3 * AT_DAY_MS, TRACK("Order Cancelled", "{\"order_id\":\"2\"}"));
    assert_true(p->orders.count == 2); /* by somebody who may not */
    happen(&world, &p, NOW_MS + 3 * AT_DAY_MS, TRACK("Order Cancelled", "{\"order_id\":\"2\"}"));
    assert_true(p->orders.count == 1 && p->orders.revenue == 10 && p->orders.refunded == 0);
    assert_true(p->orders.first_ms == NOW_MS && p->orders.last_ms == NOW_MS && p->order_count == 2);
    happen(&world, &p, NOW_MS + 4 * AT_DAY_MS, TRACK("Order Cancelled", "{\"order_id\":\"3\"}"));
    happen(&world, &p, NOW_MS + 3 * AT_DAY_MS,
           TRACK("Order Completed", "{\"order_id\":\"3\",\"revenue\":5}"));
    happen(&world, &p, NOW_MS + 4 * AT_DAY_MS, TRACK("Order Cancelled", "{\"order_id\":\"1\"}"));
    assert_true(p->orders.count == 0 && p->orders.revenue == 0 && p->awaited_count == 0);
    assert_true(p->orders.first_ms == 0 && p->orders.last_ms == 0 && p->order_count == 3);
    at_profile_unref(p);
}

static void products_are_kept_of_the_newest_orders(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    static char text[8000];
    size_t n =
        (size_t)snprintf(text, sizeof text, TRACK("Order Completed", "{\"order_id\":\"big\",\"products\":["));
    n = (size_t)(strstr(text, "\"products\":[") - text) + 12;
    for (int i = 0; i < ORDER_ITEMS_MAX + 5; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\"N%d\"", i ? "," : "", i);
    snprintf(text + n, sizeof text - n, "]}}");
    happen(&world, &p, NOW_MS, text);
    assert_true(p->order_list[0].item_count == ORDER_ITEMS_MAX && p->order_list[0].is_closed);
    assert_int_equal(at_profile_met(p, AT_TEXT("N54"))->bought, 1); /* all count once */
    tell_again(&p, NOW_MS, text);
    assert_int_equal(at_profile_met(p, AT_TEXT("N54"))->bought, 1);
    assert_int_equal(at_profile_met(p, AT_TEXT("N1"))->bought, 1);
    for (int i = 0; i < ORDERS_MAX - 1; i++) {
        snprintf(text, sizeof text,
                 TRACK("Order Completed", "{\"order_id\":\"o%d\",\"products\":[\"A\",\"B\",\"C\",\"D\"]}"),
                 i);
        happen(&world, &p, NOW_MS + 1 + i, text);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->order_count; i++) kept += p->order_list[i].item_count;
    assert_true(kept == ORDERS_ITEMS && p->order_count == ORDERS_MAX);
    assert_true(p->order_list[0].item_count == 0 && p->order_list[0].is_closed);
    assert_true(p->order_list[ORDERS_MAX - 1].item_count == 4);
    p = recode(&world, p);
    tell_again(&p, NOW_MS + 1, TRACK("Order Completed", "{\"order_id\":\"o0\",\"products\":[\"A\",\"Z\"]}"));
    assert_null(at_profile_met(p, AT_TEXT("Z")));
    assert_int_equal(at_profile_met(p, AT_TEXT("A"))->bought, ORDERS_MAX - 1);
    at_profile_unref(p);
}

static void an_order_of_before_copies_is_read(void **state) {
    (void)state;
    struct at_profile *back;
    struct at_error err;
    static const char old[] =
        "{\"version\":1,\"person\":7,\"applied\":3,\"visit\":{},\"acquired\":{},\"traits\":{},\"orders\":{"
        "\"count\":1,"
        "\"revenue\":80,\"list\":[{\"id\":\"1\",\"at\":1795680000000,\"revenue\":80,\"product\":\"A\"}],"
        "\"awaited\":[{"
        "\"id\":\"2\",\"refunded\":5}]},\"basket\":{\"list\":[]},\"tastes\":[],\"products\":[],\"counts\":[],"
        "\"identifiers\":[]}";
    if (at_profile_read(json_of(world.profile_parser, old), NULL, &back, &err) != AT_OK)
        fail_msg("%s", err.message);
    assert_true(back->order_list[0].is_completed && back->order_list[0].is_closed);
    assert_true(!back->awaited[0].is_completed && back->awaited[0].refunded == 5);
    world.seq = world.seq > 3 ? world.seq : 3;
    tell_again(&back, NOW_MS + AT_DAY_MS,
               TRACK("Order Completed", "{\"order_id\":\"1\",\"revenue\":9,\"products\":[\"B\"]}"));
    assert_true(back->orders.revenue == 80 && back->product_count == 0);
    back = recode(&world, back);
    at_profile_unref(back);
}

static void old_orders_leave_the_list_but_not_the_sums(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    char text[200];
    for (int i = 0; i < ORDERS_MAX + 20; i++) {
        snprintf(text, sizeof text, TRACK("Order Completed", "{\"order_id\":\"o%d\",\"revenue\":0.25}"), i);
        happen(&world, &p, NOW_MS + i * AT_DAY_MS, text);
    }
    assert_true(p->order_count == ORDERS_MAX && at_text_is(p->order_list[0].id, "o20"));
    happen(&world, &p, NOW_MS - AT_DAY_MS,
           TRACK("Order Completed", "{\"order_id\":\"early\",\"revenue\":1}"));
    assert_true(p->order_count == ORDERS_MAX &&
                at_text_is(p->order_list[0].id, "o20")); /* it is the oldest itself */
    assert_true(p->orders.count == ORDERS_MAX + 21 && p->orders.revenue == 31 &&
                p->orders.first_ms == NOW_MS - AT_DAY_MS);
    at_profile_unref(p);
}

static void ceilings_hold(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    char text[300];
    happen(&world, &p, NOW_MS,
           TRACK("Order Completed",
                 "{\"order_id\":\"1\",\"products\":[{\"product_id\":\"kept\",\"brand\":\"kept\"}]}"));
    for (int i = 0; i < 600; i++) {
        snprintf(text, sizeof text, TRACK("Product Viewed", "{\"product_id\":\"P%d\",\"brand\":\"b%d\"}"), i,
                 i);
        happen(&world, &p, NOW_MS + i, text);
        snprintf(text, sizeof text, TRACK("Custom %d", "{}"), i);
        happen(&world, &p, NOW_MS + i, text);
    }
    assert_true(p->product_count == PRODUCTS_MAX && p->taste_count == TASTES_MAX &&
                p->count_count == COUNTS_MAX);
    assert_non_null(at_profile_met(p, AT_TEXT("kept"))); /* what was bought stays longer than what was seen */
    assert_non_null(at_profile_met(p, AT_TEXT("P599")));
    assert_null(at_profile_met(p, AT_TEXT("P0")));
    assert_int_equal(at_profile_counted(p, AT_TEXT("product_viewed"))->total, 600);
    for (int i = 0; i < IDENTIFIERS_MAX + 2; i++) {
        struct at_identifier identifier = {AT_TEXT("anonymous_id"),
                                           {text, (size_t)snprintf(text, sizeof text, "v%d", i)}};
        p = at_profile_with_identifier(p, &identifier, NOW_MS + i, true);
        p = at_profile_with_identifier(p, &identifier, NOW_MS + 999, true); /* known: nothing changes */
    }
    assert_true(p->identifier_count == IDENTIFIERS_MAX && at_text_is(p->identifiers[0].value, "v2"));
    assert_true(p->identifiers[1].since_ms == NOW_MS + 3);
    p = recode(&world, p); /* full lists can be stored and read */
    assert_true(p->product_count == PRODUCTS_MAX && p->identifier_count == IDENTIFIERS_MAX);
    at_profile_unref(p);
}

/* Whichever of two requests is first to be committed: what is known is the same, in the same order. */
static void identifiers_are_told_in_any_order(void **state) {
    (void)state;
    enum { COUNT = IDENTIFIERS_MAX + 10, WAYS = 50 };
    seed = 20261127;
    for (int way = 0; way < WAYS; way++) {
        struct at_profile *p = new_profile();
        int order[COUNT];
        for (int i = 0; i < COUNT; i++) {
            int other = (int)random_below(&seed, (uint32_t)i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        for (int i = 0; i < COUNT; i++) {
            char text[32];
            struct at_identifier one = {order[i] ? AT_TEXT("anonymous_id") : AT_TEXT("user_id"),
                                        {text, (size_t)snprintf(text, sizeof text, "v%02d", order[i])}};
            p = at_profile_with_identifier(p, &one, NOW_MS + order[i] / 3, true);
        }
        assert_int_equal(p->identifier_count, IDENTIFIERS_MAX);
        assert_true(at_text_is(p->identifiers[0].value, "v00")); /* the person is known by it still */
        for (uint32_t i = 1; i < IDENTIFIERS_MAX; i++) {
            char text[32];
            snprintf(text, sizeof text, "v%02u", i + COUNT - IDENTIFIERS_MAX);
            assert_true(at_text_is(p->identifiers[i].value, text));
        }
        at_profile_unref(p);
    }
}

static void windows_by_the_hour_and_by_the_day(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    for (int hour = 0; hour < 24 * 500; hour += 6)
        happen(&world, &p, NOW_MS + hour * AT_HOUR_MS, TRACK("Signed In", "{}"));
    int64_t now = NOW_MS + (24 * 500 - 6) * AT_HOUR_MS + 45 * AT_MINUTE_MS; /* the last: 45 minutes ago */
    struct at_text name = AT_TEXT("signed_in");
    assert_int_equal(at_profile_count(p, name, AT_HOUR_MS, now), 1);
    assert_int_equal(at_profile_count(p, name, 12 * AT_HOUR_MS, now), 2);
    assert_int_equal(at_profile_count(p, name, AT_DAY_MS, now), 4);
    assert_int_equal(at_profile_count(p, name, 2 * AT_DAY_MS, now), 8);
    assert_in_range(at_profile_count(p, name, 30 * AT_DAY_MS, now), 116, 124);
    assert_in_range(at_profile_count(p, name, 365 * AT_DAY_MS, now), 1456, 1464);
    assert_int_equal(at_profile_count(p, name, 900 * AT_DAY_MS, now), 2000); /* all there were */
    assert_int_equal(at_profile_count(p, name, AT_DAY_MS, now + 30 * AT_DAY_MS), 0);
    at_profile_unref(p);
}

/* Its messageId had another payload: it stands in the log, and nothing but the place in the log moves. */
static void a_conflict_changes_nothing(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS, TRACK("Product Added", "{\"product_id\":\"A\",\"brand\":\"x\"}"));
    struct stored stored;
    assert_int_equal(
        parse_at(&world, TRACK("Order Completed", "{\"order_id\":\"1\",\"revenue\":5}"), NOW_MS + 1), AT_OK);
    keep_event(&world, true, &stored);
    free(stored.facts);
    stored.facts = strdup(AT_CONFLICT_FACTS);
    struct at_profile *next = step(&world, p, &stored, false);
    assert_true(next->applied_seq == stored.seq && stored.seq > p->applied_seq);
    assert_null(difference(p, next));
    struct at_profile *only = at_profile_new(3, NULL), *other = at_profile_new(8, NULL);
    only = step(&world, only, &stored, true);
    happen(&world, &other, NOW_MS, TRACK("x", "{}"));
    assert_int_equal(at_profile_survivor(only, other), 8);
    assert_int_equal(at_profile_survivor(other, only), 8);
    stored_free(&stored);
    at_profile_unref(p);
    at_profile_unref(next);
    at_profile_unref(only);
    at_profile_unref(other);
}

static void ids_and_survivors(void **state) {
    (void)state;
    seed = first = first_seed(99);
    char text[AT_PERSON_ID_SIZE];
    for (number = 0; number < 20000; number++) {
        uint64_t person = number < 100   ? (uint64_t)number
                          : number < 200 ? UINT64_MAX - (uint64_t)number
                                         : next_random(&seed),
                 back = 1;
        at_person_id_format(person, text);
        CHECK(at_person_id_parse(at_text_of(text), &back) && back == person);
    }
    uint64_t back;
    assert_false(at_person_id_parse(AT_TEXT(""), &back));
    assert_false(at_person_id_parse(AT_TEXT("pzzzzzzzzzzz"), &back)); /* over 64 bits */
    assert_false(at_person_id_parse(AT_TEXT("p0000000000-"), &back));
    assert_false(at_person_id_parse(AT_TEXT("p0000000000"), &back));
    struct at_profile *a = at_profile_new(9, NULL), *b = at_profile_new(5, NULL);
    struct at_identifier visitor = {AT_TEXT("anonymous_id"), AT_TEXT("v")},
                         user = {AT_TEXT("email"), AT_TEXT("a@b.c")};
    assert_int_equal(at_profile_survivor(a, b), 5);
    happen(&world, &b, NOW_MS + 1, TRACK("x", "{}"));
    happen(&world, &a, NOW_MS, TRACK("x", "{}"));
    assert_int_equal(at_profile_survivor(a, b), 9); /* earlier */
    a = at_profile_with_identifier(a, &visitor, 1, true);
    b = at_profile_with_identifier(b, &user, 1, true);
    assert_int_equal(at_profile_survivor(a, b), 5); /* known */
    assert_int_equal(at_profile_survivor(b, a), 5);
    at_profile_unref(a);
    at_profile_unref(b);
}

/* An event of an import is marked where everybody sees it, and the profile does not differ by it. */
static void the_past_is_marked_and_folds_the_same(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"type\":\"page\",\"messageId\":\"1\",\"anonymousId\":\"v\",\"timestamp\":\"2026-05-01T10:00:"
        "00Z\"}",
        "{\"type\":\"track\",\"messageId\":\"2\",\"anonymousId\":\"v\",\"event\":\"Order "
        "Completed\",\"timestamp\":\"2026-05-02\","
        "\"properties\":{\"order_id\":\"1\",\"revenue\":9,\"products\":[{\"product_id\":\"A\",\"price\":9}]}"
        "}",
        "{\"type\":\"identify\",\"messageId\":\"3\",\"anonymousId\":\"v\",\"userId\":\"u\",\"timestamp\":"
        "\"2026-05-03\","
        "\"traits\":{\"email\":\"a@example.com\"}}"};
    struct at_profile *past = at_profile_new(1, NULL), *live = at_profile_new(1, NULL);
    for (size_t i = 0; i < AT_LENGTH(texts); i++)
        for (int is_past = 0; is_past < 2; is_past++) {
            struct at_event_defaults defaults = {.received_ms = NOW_MS, .is_import = is_past};
            struct stored stored;
            assert_int_equal(parse_with(&world, texts[i], &defaults), AT_OK);
            keep_event(&world, true, &stored);
            stored.seq = i + 1;
            assert_int_equal(at_event_is_backfill(at_text_of(stored.facts)), is_past);
            if (is_past)
                past = step(&world, past, &stored, true);
            else
                live = step(&world, live, &stored, true);
            stored_free(&stored);
        }
    const char *where = difference(past, live);
    if (where) fail_msg("%s differs", where);
    at_profile_unref(past);
    at_profile_unref(live);
}

static void a_profile_of_twenty_events_is_small(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    struct at_account account = {"profiles", SIZE_MAX, 0};
    struct at_profile *counted = at_profile_new(7, &account);
    char text[300];
    for (int i = 0; i < 20; i++) {
        snprintf(
            text, sizeof text,
            TRACK("%s",
                  "{\"product_id\":\"SKU-%d\",\"price\":10,\"brand\":\"Acme %d\",\"category\":\"Sofas\"}"),
            i % 4   ? "Product Viewed"
            : i % 8 ? "Product Added"
                    : "Product Clicked",
            i % 8, i % 4);
        happen(&world, &p, NOW_MS + i * AT_HOUR_MS, text);
        happen(&world, &counted, NOW_MS + i * AT_HOUR_MS, text);
        assert_int_equal(at_account_used(&account), counted->bytes);
    }
    print_message("%zu bytes after 20 events\n", p->bytes);
    assert_true(p->bytes <= 3000);
    at_profile_unref(p);
    at_profile_unref(counted);
    assert_int_equal(at_account_used(&account), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_visit_ends_after_half_an_hour),
        cmocka_unit_test(traits_are_merged_and_null_removes),
        cmocka_unit_test(too_many_traits_drive_the_oldest_out),
        cmocka_unit_test(the_basket_follows),
        cmocka_unit_test(orders_and_refunds_add_up),
        cmocka_unit_test(a_later_copy_fills_what_the_first_lacks),
        cmocka_unit_test(a_number_is_another_order_s_a_year_before),
        cmocka_unit_test(what_was_cancelled_is_no_order),
        cmocka_unit_test(products_are_kept_of_the_newest_orders),
        cmocka_unit_test(an_order_of_before_copies_is_read),
        cmocka_unit_test(old_orders_leave_the_list_but_not_the_sums),
        cmocka_unit_test(ceilings_hold),
        cmocka_unit_test(identifiers_are_told_in_any_order),
        cmocka_unit_test(windows_by_the_hour_and_by_the_day),
        cmocka_unit_test(a_conflict_changes_nothing),
        cmocka_unit_test(ids_and_survivors),
        cmocka_unit_test(the_past_is_marked_and_folds_the_same),
        cmocka_unit_test(a_profile_of_twenty_events_is_small),
    };
    return cmocka_run_group_tests_name("profile apply", tests, begin, end);
}
