/* SPDX-License-Identifier: Apache-2.0
 *
 * The newest event of each name: the same in whatever order events come in, how much of one is kept, and what
 * is not.
 */
#include "profile_world.h"

enum { CASES = 600, EVENTS = 120 };

ONE_WORLD
GENERATED_CASES;

static const struct at_last_event *last_of(const struct at_profile *p, const char *name) {
    return at_profile_last(p, at_text_of(name));
}
#define assert_text(text, expected)                                                                          \
    do {                                                                                                     \
        struct at_text told = text;                                                                          \
        if (!at_text_is(told, expected)) fail_msg("%.*s is not %s", (int)told.length, told.data, expected);  \
    } while (0)

/* ---- any order ---- */

/* More names than are kept, moments and message ids that meet, and some that say other things under one id.
 */
static uint32_t random_events(struct stored *events) {
    uint32_t count = 1 + random_below(&seed, EVENTS), names = 1 + random_below(&seed, 50);
    char text[1200];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t name = random_below(&seed, names);
        uint32_t id = random_below(&seed, 6);
        uint32_t value = random_below(&seed, 4);
        uint32_t moment = random_below(&seed, 30);
        uint32_t has_items = random_below(&seed, 2);
        snprintf(text, sizeof text,
                 "{\"type\":\"track\",\"anonymousId\":\"a\",\"messageId\":\"m%u\",\"event\":\"e%02u\","
                 "\"properties\":{\"value\":%u.50,\"t\":\"\\u00e9\",\"no\":null,\"deep\":{\"a\":1}%s}}",
                 id, name, value, has_items ? ",\"products\":[{\"product_id\":\"P\",\"quantity\":2}]" : "");
        if (parse_at(&world, text, NOW_MS + moment) != AT_OK) fail_msg("%s: %s", world.err.message, text);
        keep_event(&world, true, &events[i]);
    }
    return count;
}

static struct at_profile *fold(const struct stored *events, uint32_t count, bool is_stored) {
    struct at_profile *profile = new_profile();
    for (uint32_t i = 0; i < count; i++) {
        struct stored one = events[i];
        one.seq = i + 1;
        profile = step(&world, profile, &one, true);
        if (is_stored && random_below(&seed, 4) == 0) profile = recode(&world, profile);
    }
    return profile;
}

static void shuffle(struct stored *events, uint32_t count) {
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = random_below(&seed, i);
        struct stored swap = events[i - 1];
        events[i - 1] = events[j];
        events[j] = swap;
    }
}

static void check_same_lasts(const struct at_profile *a, const struct at_profile *b) {
    CHECK(a->last_count == b->last_count);
    for (uint32_t i = 0; i < a->last_count; i++) CHECK(same_last(&a->lasts[i], &b->lasts[i]));
}

/* Whether an event is after the kept one: its moment, its id. */
static bool is_after(const struct stored *event, const struct at_last_event *last) {
    if (event->at_ms != last->at_ms) return event->at_ms > last->at_ms;
    return at_text_order(at_text_of(event->id), last->id) > 0;
}

/* What is kept is an event, none of its name is after it, and what is not kept is older than all that is. */
static void check_model(const struct at_profile *p, const struct stored *events, uint32_t count) {
    CHECK(p->last_count <= AT_LASTS_MAX);
    for (uint32_t i = 0; i < p->last_count; i++) {
        bool is_there = false;
        for (uint32_t k = 0; k < count; k++)
            is_there |= at_text_is(p->lasts[i].name, events[k].name) &&
                        at_text_is(p->lasts[i].id, events[k].id) && events[k].at_ms == p->lasts[i].at_ms;
        CHECK(is_there);
    }
    for (uint32_t k = 0; k < count; k++) {
        const struct at_last_event *last = last_of(p, events[k].name);
        if (last) CHECK(!is_after(&events[k], last));
        for (uint32_t i = 0; !last && i < p->last_count; i++) CHECK(p->lasts[i].at_ms >= events[k].at_ms);
        CHECK(last || p->last_count == AT_LASTS_MAX);
    }
}

static void any_order_keeps_the_same_events(void **state) {
    (void)state;
    static struct stored events[EVENTS];
    int full = 0;
    seed = first = first_seed(20261127);
    for (number = 0; number < CASES; number++) {
        uint32_t count = random_events(events);
        struct at_profile *a = fold(events, count, false);
        check_model(a, events, count);
        full += a->last_count == AT_LASTS_MAX;
        for (int i = 0; i < 3; i++) {
            shuffle(events, count);
            struct at_profile *b = fold(events, count, i == 2);
            check_same_lasts(a, b);
            at_profile_unref(b);
        }
        at_profile_unref(a);
        for (uint32_t i = 0; i < count; i++) stored_free(&events[i]);
    }
    print_message("property: newest events, %d cases, seed %llu, %d of them full\n", CASES,
                  (unsigned long long)first, full);
    assert_true(full > 20);
}

/* ---- how much of one ---- */

static void scalars_are_kept_as_sent(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS,
           TRACK("Checkout Started", "{\"checkout_id\":\"c1\",\"value\":80.50,\"is_gift\":true,\"count\":3,"
                                     "\"none\":null,\"list\":[1],\"object\":{\"a\":1},\"text\":\"\\u00fc "
                                     "\\\"x\\\"\",\"products\":[{\"product_id\":\"A\",\"price\":\"19.99\","
                                     "\"quantity\":2},{\"product_id\":\"B\"}]}"));
    const struct at_last_event *last = last_of(p, "checkout_started");
    assert_non_null(last);
    assert_true(last->at_ms == NOW_MS && !last->is_cut);
    assert_text(last->properties, "{\"checkout_id\":\"c1\",\"value\":80.5,\"is_gift\":true,\"count\":3,"
                                  "\"text\":\"ü \\\"x\\\"\"}");
    assert_text(last->items, "[{\"product\":\"A\",\"quantity\":2,\"price\":19.99},{\"product\":\"B\"}]");
    p = recode(&world, p);
    assert_text(last_of(p, "checkout_started")->items,
                "[{\"product\":\"A\",\"quantity\":2,\"price\":19.99},{\"product\":\"B\"}]");
    assert_null(last_of(p, "checkout_completed"));
    at_profile_unref(p);
}

static void an_event_with_nothing_is_kept_too(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS, "{\"type\":\"page\",\"anonymousId\":\"a\",\"messageId\":\"x\"}");
    p = recode(&world, p);
    const struct at_last_event *last = last_of(p, "page_viewed");
    assert_non_null(last);
    assert_text(last->id, "x");
    assert_true(!last->properties.length && !last->items.length && !last->is_cut);
    at_profile_unref(p);
}

/* One that does not fit is left out, the next may. */
static void what_is_too_large_is_left_out_and_said(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    char text[9000], long_text[AT_LAST_TEXT_MAX + 2];
    memset(long_text, 'x', sizeof long_text);
    for (int more = 0; more < 2; more++) {
        snprintf(text, sizeof text, TRACK("Quiz", "{\"a\":1,\"answer\":\"%.*s\",\"b\":2}"),
                 AT_LAST_TEXT_MAX + more, long_text);
        happen(&world, &p, NOW_MS + more, text);
        assert_int_equal(last_of(p, "quiz")->is_cut, more);
    }
    assert_text(last_of(p, "quiz")->properties, "{\"a\":1,\"b\":2}");
    size_t n = (size_t)snprintf(
        text, sizeof text, "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"Many\",\"properties\":{");
    for (int i = 0; i < 40; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "\"name%02d\":\"valu\",", i);
    n += (size_t)snprintf(text + n, sizeof text - n, "\"z\":1,\"products\":[");
    for (int i = 0; i < 40; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s{\"product_id\":\"SKU-%03d\"}", i ? "," : "", i);
    snprintf(text + n, sizeof text - n, "]}}");
    happen(&world, &p, NOW_MS, text);
    p = recode(&world, p);
    const struct at_last_event *last = last_of(p, "many");
    assert_true(last->is_cut && last->properties.length <= AT_LAST_PROPERTIES_MAX &&
                last->items.length <= AT_LAST_ITEMS_MAX);
    /* 15 of 16 bytes, then one of 6 that still fits; 18 products of 22 bytes; brackets for the last comma */
    assert_int_equal(last->properties.length, 15 * 16 + 6 + 1);
    assert_int_equal(last->items.length, 18 * 22 + 1);
    at_profile_unref(p);
}

static void names_that_are_too_long_are_not_kept(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    char text[400], name[AT_LAST_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    for (int more = 0; more < 2; more++) {
        snprintf(text, sizeof text, TRACK("%.*s", "{}"), AT_LAST_NAME_MAX + more, name);
        happen(&world, &p, NOW_MS, text);
    }
    assert_int_equal(p->last_count, 1);
    assert_int_equal(p->count_count, 2);
    at_profile_unref(p);
}

/* ---- which are none ---- */

static void of_a_list_that_was_shown_the_products_are_not_kept(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS,
           TRACK("Product List Viewed", "{\"category\":\"Sofas\",\"products\":[{\"product_id\":\"A\"}]}"));
    assert_text(last_of(p, "product_list_viewed")->properties, "{\"category\":\"Sofas\"}");
    assert_int_equal(last_of(p, "product_list_viewed")->items.length, 0);
    at_profile_unref(p);
}

static void of_an_order_the_newest_copy_that_may_be_believed(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    struct stored lost;
    happen(&world, &p, NOW_MS, TRACK("Order Completed", "{\"order_id\":\"1\"}"));
    for (int hearsay = 0; hearsay < 2; hearsay++) {
        assert_int_equal(
            parse_at(&world, TRACK("Order Completed", "{\"order_id\":\"1\"}"), NOW_MS + 5 + hearsay), AT_OK);
        world.event.is_hearsay = hearsay;
        keep_event(&world, false, &lost);
        p = step(&world, p, &lost, true);
        assert_true(last_of(p, "order_completed")->at_ms == NOW_MS + 5);
        stored_free(&lost);
    }
    assert_int_equal(parse_at(&world, TRACK("Order Refunded", "{\"order_id\":\"1\"}"), NOW_MS + 5), AT_OK);
    keep_event(&world, false, &lost); /* counted before */
    p = step(&world, p, &lost, true);
    assert_null(at_profile_last(p, AT_TEXT("order_refunded")));
    stored_free(&lost);
    assert_int_equal(parse_at(&world, TRACK("Order Delivered", "{\"order_id\":\"1\"}"), NOW_MS + 6), AT_OK);
    keep_event(&world, false, &lost); /* names an order, and counts as any event */
    p = step(&world, p, &lost, true);
    assert_non_null(last_of(p, "order_delivered"));
    stored_free(&lost);
    at_profile_unref(p);
}

static void who_did_not_agree_has_none(void **state) {
    (void)state;
    struct at_profile *p = new_profile();
    happen(&world, &p, NOW_MS, TRACK("Order Completed", "{\"order_id\":\"1\"}"));
    struct at_profile *plain = at_profile_plain(p);
    assert_int_equal(plain->last_count, 0);
    assert_null(last_of(plain, "order_completed"));
    at_profile_unref(plain);
    at_profile_unref(p);
}

/* As versions before wrote it. */
static void an_older_profile_reads_and_goes_on(void **state) {
    (void)state;
    static const char older[] =
        "{\"version\":1,\"person\":7,\"applied\":1,\"visit\":{},\"acquired\":{},\"traits\":{},"
        "\"orders\":{\"list\":[]},\"basket\":{\"list\":[]},\"tastes\":[],\"products\":[],\"counts\":[{"
        "\"name\":"
        "\"quiz\",\"total\":1,\"first\":5,\"last\":5,\"hours\":[],\"days\":[]}],\"identifiers\":[]}";
    struct at_profile *p;
    struct at_error err;
    assert_int_equal(at_profile_read(json_of(world.profile_parser, older), NULL, &p, &err), AT_OK);
    assert_null(last_of(p, "quiz"));
    world.seq = 1;
    happen(&world, &p, NOW_MS, TRACK("Quiz", "{\"score\":3}"));
    assert_text(last_of(p, "quiz")->properties, "{\"score\":3}");
    at_profile_unref(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_keeps_the_same_events),
        cmocka_unit_test(scalars_are_kept_as_sent),
        cmocka_unit_test(an_event_with_nothing_is_kept_too),
        cmocka_unit_test(what_is_too_large_is_left_out_and_said),
        cmocka_unit_test(names_that_are_too_long_are_not_kept),
        cmocka_unit_test(of_a_list_that_was_shown_the_products_are_not_kept),
        cmocka_unit_test(of_an_order_the_newest_copy_that_may_be_believed),
        cmocka_unit_test(who_did_not_agree_has_none),
        cmocka_unit_test(an_older_profile_reads_and_goes_on),
    };
    return cmocka_run_group_tests_name("profile newest events", tests, begin, end);
}
