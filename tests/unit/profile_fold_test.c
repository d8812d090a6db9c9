/* SPDX-License-Identifier: Apache-2.0
 *
 * state = fold(apply, events): the same for any batching, with storage in between, and with events told of
 * twice; against a model that keeps all events and counts them again; and what each event does, worked out by
 * hand.
 */
#include <math.h>
#include <pthread.h>
#include "profile_world.h"

enum { CASES = 1500, EVENTS = 60 };

ONE_WORLD
GENERATED_CASES;

static void check_same(const struct at_profile *a, const struct at_profile *b, const char *what) {
    const char *where = difference(a, b);
    if (where) fail_msg("seed %llu, case %d: %s: %s differs", (unsigned long long)first, number, what, where);
    CHECK(a->applied_seq == b->applied_seq);
    CHECK(at_profile_equal(a, b));
}

/* Random events; now and then hours, days or weeks pass, and one in five tells of earlier. */
static uint32_t random_events(struct stored *events, bool in_order) {
    uint32_t count = 1 + random_below(&seed, EVENTS);
    int64_t at_ms = NOW_MS;
    char text[4000];
    for (uint32_t i = 0; i < count; i++) {
        static const int64_t steps[] = {1000,           AT_MINUTE_MS, 20 * AT_MINUTE_MS, AT_HOUR_MS,
                                        9 * AT_HOUR_MS, AT_DAY_MS,    13 * AT_DAY_MS};
        int64_t span = steps[random_below(&seed, AT_LENGTH(steps))];
        span += random_below(&seed, 1000);
        at_ms += span;
        int64_t told = in_order || random_below(&seed, 5) ? at_ms : at_ms - 2 * span;
        random_event(&seed, text, sizeof text);
        if (parse_at(&world, text, told) != AT_OK) fail_msg("%s: %s", world.err.message, text);
        keep_event(&world, random_below(&seed, 4) > 0, &events[i]);
    }
    return count;
}

static void free_events(struct stored *events, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) stored_free(&events[i]);
}

static struct at_profile *new_profile(void) {
    struct at_profile *profile = at_profile_new(7, NULL);
    assert_non_null(profile);
    return profile;
}

/* Every step a snapshot that others keep; it must not change under them. */
static struct at_profile *fold_public(const struct stored *events, uint32_t count) {
    struct at_profile *profile = new_profile();
    for (uint32_t i = 0; i < count; i++) {
        char *before = text_of_profile(&world, profile);
        struct at_profile *next = step(&world, profile, &events[i], false);
        char *after = text_of_profile(&world, profile);
        CHECK(strcmp(before, after) == 0);
        CHECK(next != profile);
        free(before);
        free(after);
        at_profile_unref(profile);
        profile = next;
    }
    return profile;
}

/* Batches of random size: within one the snapshot is private, between them it is published. */
static struct at_profile *fold_batches(const struct stored *events, uint32_t count) {
    struct at_profile *profile = new_profile();
    for (uint32_t i = 0; i < count;) {
        uint32_t end = i + 1 + random_below(&seed, 10);
        struct at_profile *published = at_profile_ref(profile);
        for (bool is_private = false; i < count && i < end; i++, is_private = true) {
            struct at_profile *next = step(&world, profile, &events[i], is_private);
            if (!is_private) at_profile_unref(profile);
            profile = next;
        }
        at_profile_unref(published);
    }
    return profile;
}

static struct at_profile *fold_stored(const struct stored *events, uint32_t count) {
    struct at_profile *profile = new_profile();
    for (uint32_t i = 0; i < count; i++) {
        if (random_below(&seed, 3) == 0) profile = recode(&world, profile);
        profile = step(&world, profile, &events[i], true);
        if (random_below(&seed, 6) == 0) /* told twice */
            profile = step(&world, profile, &events[random_below(&seed, i + 1)], true);
    }
    return recode(&world, profile);
}

static void any_way_of_folding_gives_the_same(void **state) {
    (void)state;
    struct stored events[EVENTS];
    seed = first = first_seed(20261126);
    for (number = 0; number < CASES; number++) {
        uint32_t count = random_events(events, false);
        struct at_profile *a = fold_public(events, count), *b = fold_batches(events, count),
                          *c = fold_stored(events, count);
        check_same(a, b, "batches");
        check_same(a, c, "through storage");
        at_profile_unref(a);
        at_profile_unref(b);
        at_profile_unref(c);
        free_events(events, count);
    }
    print_message("property: fold, %d cases, seed %llu\n", CASES, (unsigned long long)first);
}

/* ---- against a model ---- */

static uint64_t count_between(const struct stored *events, uint32_t count, const char *name, int64_t from,
                              int64_t to) {
    uint64_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        n += strcmp(events[i].name, name) == 0 && events[i].at_ms > from && events[i].at_ms <= to;
    return n;
}

static void check_window(const struct at_profile *profile, const struct stored *events, uint32_t count,
                         const char *name, int64_t within, int64_t now) {
    int64_t grain = within <= 2 * AT_DAY_MS ? AT_HOUR_MS : AT_DAY_MS;
    uint64_t told = at_profile_count(profile, at_text_of(name), within, now);
    CHECK(told >= count_between(events, count, name, now - within + grain, now));
    CHECK(told <= count_between(events, count, name, now - within - grain, now));
}

static void check_counts(const struct at_profile *profile, const struct stored *events, uint32_t count) {
    int64_t now = 0;
    for (uint32_t i = 0; i < count; i++)
        if (events[i].at_ms > now) now = events[i].at_ms;
    for (uint32_t i = 0; i < count; i++) {
        const struct at_event_count *counted = at_profile_counted(profile, at_text_of(events[i].name));
        CHECK(counted != NULL);
        CHECK(counted->total == count_between(events, count, events[i].name, INT64_MIN, INT64_MAX));
        CHECK(events[i].at_ms >= counted->first_ms && events[i].at_ms <= counted->last_ms);
        CHECK(count_between(events, count, events[i].name, counted->first_ms - 1, counted->first_ms) > 0);
        CHECK(count_between(events, count, events[i].name, counted->last_ms - 1, counted->last_ms) > 0);
        check_window(profile, events, count, events[i].name, (1 + random_below(&seed, 48)) * AT_HOUR_MS, now);
        check_window(profile, events, count, events[i].name, (3 + random_below(&seed, 300)) * AT_DAY_MS, now);
    }
    CHECK(at_profile_count(profile, AT_TEXT("never"), AT_DAY_MS, now) == 0);
}

struct model {
    uint64_t orders;
    double revenue, refunded;
    uint32_t views[14], adds[14], bought[14];
    double brand[5], category[3];
};

static bool is_won(struct at_json facts) {
    bool won = true;
    at_json_bool(at_json_get(facts, "claim"), &won);
    return won;
}

static void model_items(struct model *model, const struct stored *event, struct at_json facts, int64_t end) {
    double interest =
        strcmp(event->name, "product_viewed") == 0 || strcmp(event->name, "product_clicked") == 0 ? 1
        : strcmp(event->name, "product_added_to_wishlist") == 0                                   ? 3
        : strcmp(event->name, "product_added") == 0                                               ? 4
        : strcmp(event->name, "order_completed") == 0                                             ? 6
                                                                                                  : 0;
    bool is_met[14] = {false};
    struct at_json_each it = at_json_each(at_json_get(facts, "items"));
    while (at_json_next(&it)) {
        int n = atoi(at_json_text(at_json_get(it.value, "product")).data + 1);
        if (is_met[n]) continue;
        is_met[n] = true;
        double weight = interest * pow(2, -(double)(end - event->at_ms) / AT_AFFINITY_HALF_MS);
        model->views[n] += interest == 1;
        model->adds[n] += interest == 4;
        model->bought[n] += interest == 6;
        model->brand[n % 5] += weight;
        model->category[n % 3] += weight;
    }
}

static void model_event(struct model *model, const struct stored *event, int64_t end) {
    struct at_json facts = json_of(world.facts_parser, event->facts);
    double amount;
    bool is_order = strcmp(event->name, "order_completed") == 0;
    if (!is_order || is_won(facts)) model_items(model, event, facts, end);
    if (!is_won(facts) || !at_json_number(at_json_get(facts, "revenue"), &amount)) amount = 0;
    if (is_order && is_won(facts)) model->orders++;
    if (is_order) model->revenue += amount;
    if (strcmp(event->name, "order_refunded") == 0 && at_json_get(facts, "revenue").tape)
        model->refunded += amount;
}

static void check_near(double a, double b) {
    if (fabs(a - b) > 1e-9 * (1 + fabs(b)))
        fail_msg("seed %llu, case %d: %.17g is not %.17g", (unsigned long long)first, number, a, b);
}

static void check_products(const struct at_profile *profile, const struct model *model) {
    for (int n = 0; n < 14; n++) {
        char id[20];
        snprintf(id, sizeof id, "P%d", n);
        const struct at_met_product *met = at_profile_met(profile, at_text_of(id));
        struct at_met_product none = {0};
        if (!met) met = &none;
        CHECK(met->views == model->views[n] && met->adds == model->adds[n] &&
              met->bought == model->bought[n]);
    }
}

static void check_grouped(const struct at_profile *profile) {
    for (uint32_t i = 2; i < profile->taste_count; i++)
        for (uint32_t j = 0; j + 1 < i; j++)
            CHECK(!at_text_equal(profile->tastes[i].facet, profile->tastes[j].facet) ||
                  at_text_equal(profile->tastes[i].facet, profile->tastes[i - 1].facet));
}

static void check_tastes(const struct at_profile *profile, const struct model *model, int64_t end) {
    double found = 0, expected = 0;
    for (uint32_t i = 0; i < profile->taste_count; i++) {
        const struct at_taste *taste = &profile->tastes[i];
        double weight = taste->weight * pow(2, -(double)(end - taste->at_ms) / AT_AFFINITY_HALF_MS);
        int n = taste->value.data[taste->value.length - 1] - '0';
        check_near(weight, at_text_is(taste->facet, "brand") ? model->brand[n] : model->category[n]);
        found += weight;
    }
    for (int i = 0; i < 5; i++) expected += model->brand[i];
    for (int i = 0; i < 3; i++) expected += model->category[i];
    check_near(found, expected); /* none is missing */
}

static int64_t last_moment(const struct stored *events, uint32_t count) {
    int64_t end = events[0].at_ms;
    for (uint32_t i = 0; i < count; i++)
        if (events[i].at_ms > end) end = events[i].at_ms;
    return end;
}

static void check_model(const struct at_profile *profile, const struct stored *events, uint32_t count) {
    struct model model = {0};
    int64_t end = last_moment(events, count);
    for (uint32_t i = 0; i < count; i++) model_event(&model, &events[i], end);
    CHECK(profile->orders.count == model.orders);
    check_near(profile->orders.revenue, model.revenue);
    CHECK(profile->orders.refunded >= model.refunded - 1e-6); /* and what "all of it" was */
    CHECK(profile->last_seen_ms == end);
    check_products(profile, &model);
    check_tastes(profile, &model, end);
    check_grouped(profile);
    check_counts(profile, events, count);
}

static uint64_t visits_in_order(const struct stored *events, uint32_t count) {
    uint64_t visits = 1;
    for (uint32_t i = 1; i < count; i++) visits += events[i].at_ms - events[i - 1].at_ms > AT_SESSION_GAP_MS;
    return visits;
}

/* Sums, counts, tastes and what was met do not depend on the order in which events are told. */
static void the_fold_counts_what_the_model_counts(void **state) {
    (void)state;
    struct stored events[EVENTS];
    seed = first = first_seed(4711);
    for (number = 0; number < CASES; number++) {
        bool in_order = number % 2;
        uint32_t count = random_events(events, in_order);
        struct at_profile *profile = fold_public(events, count);
        check_model(profile, events, count);
        if (in_order) CHECK(profile->sessions == visits_in_order(events, count));
        at_profile_unref(profile);
        for (uint32_t i = count; i > 1; i--) { /* any other order */
            uint32_t j = random_below(&seed, i);
            struct stored swap = events[i - 1];
            events[i - 1] = events[j];
            events[j] = swap;
        }
        for (uint32_t i = 0; i < count; i++) events[i].seq = i + 1;
        profile = fold_public(events, count);
        check_model(profile, events, count);
        for (uint32_t i = 1; i < profile->order_count; i++)
            CHECK(profile->order_list[i - 1].at_ms <= profile->order_list[i].at_ms);
        at_profile_unref(profile);
        free_events(events, count);
    }
    print_message("property: model, %d cases, seed %llu\n", CASES, (unsigned long long)first);
}

/* ---- by hand ---- */

#define TRACK(event, properties)                                                                             \
    "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"" event "\",\"properties\":" properties "}"

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
    assert_true(p->acquired.events == 2 && p->acquired.last_ms == NOW_MS + AT_SESSION_GAP_MS);
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
    assert_int_equal(at_profile_counted(p, AT_TEXT("order_completed"))->total, 2); /* it did happen */
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

/* One order of one to three events: itself, and refunds that name an amount or mean the whole of it.
 * Quarters, so that sums are exact in any order. */
static uint32_t random_orders(struct stored *events) {
    char text[300];
    uint32_t count = 0, orders = 1 + random_below(&seed, 6);
    for (uint32_t i = 0; i < orders; i++) {
        for (uint32_t j = 0, refunds = random_below(&seed, 4); j <= refunds; j++) {
            char amount[40] = "";
            uint32_t quarters = random_below(&seed, 200);
            bool is_order = j == 0, is_lost = is_order && random_below(&seed, 8) == 0;
            if (is_order || random_below(&seed, 2))
                snprintf(amount, sizeof amount, ",\"%s\":%g", is_order ? "revenue" : "amount",
                         quarters / 4.0);
            snprintf(text, sizeof text, TRACK("%s", "{\"order_id\":\"o%u\",\"refund_id\":\"r%u-%u\"%s}"),
                     is_order ? "Order Completed" : "Order Refunded", i, i, j, amount);
            if (is_lost) continue; /* never told of */
            assert_int_equal(parse_at(&world, text, NOW_MS + random_below(&seed, 3)), AT_OK);
            keep_event(&world, true, &events[count++]);
        }
    }
    return count;
}

/* The orders block as it is shown, and what is kept of each order. */
static void check_same_orders(const struct at_profile *a, const struct at_profile *b) {
    CHECK(a->orders.count == b->orders.count && a->orders.revenue == b->orders.revenue &&
          a->orders.refunded == b->orders.refunded && a->orders.first_ms == b->orders.first_ms &&
          a->orders.last_ms == b->orders.last_ms);
    CHECK(a->order_count == b->order_count && a->awaited_count == b->awaited_count);
    for (uint32_t i = 0; i < a->order_count; i++) CHECK(same_order(&a->order_list[i], &b->order_list[i]));
}

static void orders_and_refunds_come_in_any_order(void **state) {
    (void)state;
    static struct stored events[6 * 4];
    seed = first = first_seed(1001);
    for (number = 0; number < 3000; number++) {
        uint32_t count = random_orders(events);
        struct at_profile *expected = new_profile(), *shuffled = new_profile();
        for (uint32_t i = 0; i < count; i++) expected = step(&world, expected, &events[i], true);
        for (uint32_t i = count; i > 1; i--) {
            uint32_t with = random_below(&seed, i);
            struct stored one = events[i - 1];
            events[i - 1] = events[with];
            events[with] = one;
        }
        for (uint32_t i = 0; i < count; i++) {
            events[i].seq = world.seq + i + 1; /* its place in another log */
            shuffled = step(&world, shuffled, &events[i], true);
            if (random_below(&seed, 4) == 0) shuffled = recode(&world, shuffled);
        }
        check_same_orders(expected, shuffled);
        at_profile_unref(expected);
        at_profile_unref(shuffled);
        free_events(events, count);
    }
    print_message("property: orders in any order, 3000 cases, seed %llu\n", (unsigned long long)first);
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

/* ---- threads ---- */

struct shared {
    struct at_profile *profile;
    const struct stored *event;
    uint64_t views;
};

/* Readers hold references of their own and let them go, while every thread makes its own next snapshot. */
static void *read_and_follow(void *arg) {
    struct shared *shared = arg;
    struct world mine;
    world_init(&mine);
    for (int i = 0; i < 2000; i++) {
        struct at_profile *held = at_profile_ref(shared->profile);
        struct at_profile *next = step(&mine, held, shared->event, false);
        shared->views += at_profile_met(next, AT_TEXT("A"))->views;
        at_profile_unref(held);
        at_profile_unref(next);
    }
    world_clear(&mine);
    return NULL;
}

static void a_snapshot_is_read_by_many_threads(void **state) {
    (void)state;
    struct at_account account = {"profiles", SIZE_MAX, 0};
    struct at_profile *p = at_profile_new(7, &account);
    struct stored stored;
    struct shared shared[4];
    pthread_t threads[4];
    happen(&world, &p, NOW_MS, TRACK("Product Viewed", "{\"product_id\":\"A\"}"));
    assert_int_equal(parse_at(&world, TRACK("Product Viewed", "{\"product_id\":\"A\"}"), NOW_MS + 1), AT_OK);
    keep_event(&world, true, &stored);
    for (int i = 0; i < 4; i++) {
        shared[i] = (struct shared){p, &stored, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, read_and_follow, &shared[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(shared[i].views, 2 * 2000);
    }
    stored_free(&stored);
    at_profile_unref(p);
    assert_int_equal(at_account_used(&account), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_way_of_folding_gives_the_same),
        cmocka_unit_test(the_fold_counts_what_the_model_counts),
        cmocka_unit_test(a_visit_ends_after_half_an_hour),
        cmocka_unit_test(traits_are_merged_and_null_removes),
        cmocka_unit_test(too_many_traits_drive_the_oldest_out),
        cmocka_unit_test(the_basket_follows),
        cmocka_unit_test(orders_and_refunds_add_up),
        cmocka_unit_test(orders_and_refunds_come_in_any_order),
        cmocka_unit_test(old_orders_leave_the_list_but_not_the_sums),
        cmocka_unit_test(ceilings_hold),
        cmocka_unit_test(windows_by_the_hour_and_by_the_day),
        cmocka_unit_test(a_conflict_changes_nothing),
        cmocka_unit_test(ids_and_survivors),
        cmocka_unit_test(a_profile_of_twenty_events_is_small),
        cmocka_unit_test(a_snapshot_is_read_by_many_threads),
    };
    return cmocka_run_group_tests_name("profile fold", tests, begin, end);
}
