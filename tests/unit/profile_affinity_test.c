/* SPDX-License-Identifier: Apache-2.0
 *
 * Taste relative to everyone's, against values worked out by hand from the formulas of affinity.h; decay by
 * half lives; the crowd's shares, their storage, and that they do not depend on the order of events.
 */
#include <math.h>
#include "profile_world.h"

static struct world world;
static struct at_arena arena;

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-12)
#define EVENT(name, product, brand)                                                                          \
    "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"" name                                            \
    "\",\"properties\":{\"product_id\":\"" product "\",\"brand\":\"" brand "\"}}"

static void learn(struct at_crowd *crowd, int64_t at_ms, const char *text, bool is_won) {
    struct stored stored;
    if (parse_at(&world, text, at_ms) != AT_OK) fail_msg("%s: %s", world.err.message, text);
    keep_event(&world, is_won, &stored);
    struct at_logged_event logged = logged_of(&world, &stored);
    assert_int_equal(at_crowd_learn(crowd, &logged), AT_OK);
    stored_free(&stored);
}

static double share(const struct at_crowd *crowd, const char *facet, const char *value) {
    struct at_baseline *baseline = at_crowd_baseline(crowd);
    assert_non_null(baseline);
    double result = at_baseline_share(baseline, at_text_of(facet), at_text_of(value));
    at_baseline_unref(baseline);
    return result;
}

static double affinity_of(const struct at_profile *profile, const struct at_baseline *baseline,
                          int64_t now_ms, const char *facet, const char *value) {
    struct at_tastes tastes;
    at_arena_reset(&arena);
    assert_int_equal(at_tastes_compute(profile, baseline, now_ms, &arena, &tastes), AT_OK);
    return at_tastes_of(&tastes, at_text_of(facet), at_text_of(value));
}

/* affinity.h by hand: own weight, own sum, the others' share. */
static double expected(double own, double sum, double q) {
    double p = (own + 10 * q) / (sum + 10);
    return (p > q ? (p - q) / (p + q) : 0) * sum / (sum + 3);
}

static void weights_of_events(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double weight;
    } cases[] = {
        {EVENT("Product Viewed", "A", "x"), 1},
        {EVENT("Product Clicked", "A", "x"), 1},
        {EVENT("Product Added to Wishlist", "A", "x"), 3},
        {EVENT("Product Added", "A", "x"), 4},
        {EVENT("Wishlist Product Added to Cart", "A", "x"), 4},
        {"{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"Order "
         "Completed\",\"properties\":{\"products\":["
         "{\"product_id\":\"A\",\"brand\":\"x\",\"quantity\":9},{\"product_id\":\"A\",\"brand\":\"x\"}]}}",
         6},
        {EVENT("Product Removed", "A", "x"), 0},
        {EVENT("Product Shared", "A", "x"), 0}};
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        struct at_profile *p = at_profile_new(1, NULL);
        struct at_crowd *crowd = at_crowd_new();
        happen(&world, &p, NOW_MS, cases[i].text);
        learn(crowd, NOW_MS, EVENT("Product Added to Wishlist", "B", "y"), true);
        learn(crowd, NOW_MS, cases[i].text, true);
        assert_int_equal(p->taste_count, cases[i].weight ? 1 : 0);
        if (cases[i].weight) NEAR(p->tastes[0].weight, cases[i].weight);
        NEAR(share(crowd, "brand", "x"),
             cases[i].weight / (cases[i].weight + 3)); /* the crowd weighs alike */
        at_profile_unref(p);
        at_crowd_free(crowd);
    }
}

static void weights_halve_in_thirty_days(void **state) {
    (void)state;
    struct at_profile *p = at_profile_new(1, NULL);
    happen(&world, &p, NOW_MS, EVENT("Product Added", "A", "x"));
    happen(&world, &p, NOW_MS + AT_AFFINITY_HALF_MS, EVENT("Product Viewed", "A", "x"));
    NEAR(p->tastes[0].weight, 3); /* 4 / 2 + 1 */
    happen(&world, &p, NOW_MS,
           EVENT("Product Added", "A", "x")); /* told of later: worth what it would be by now */
    NEAR(p->tastes[0].weight, 5);
    assert_true(p->tastes[0].at_ms == NOW_MS + AT_AFFINITY_HALF_MS);
    happen(&world, &p, NOW_MS + 3 * AT_AFFINITY_HALF_MS, EVENT("Product Viewed", "B", "y"));
    NEAR(p->tastes[0].weight, 5); /* as of its own moment */
    /* w = 5/4, W = 5/4 + 1; without a baseline each of the two values is a twelfth of what others might like
     */
    NEAR(affinity_of(p, NULL, NOW_MS + 3 * AT_AFFINITY_HALF_MS, "brand", "x"),
         expected(1.25, 2.25, 1.0 / 12));
    NEAR(affinity_of(p, NULL, NOW_MS + 4 * AT_AFFINITY_HALF_MS, "brand", "x"),
         expected(0.625, 1.125, 1.0 / 12));
    at_profile_unref(p);
}

static void shown_fades_and_interest_ends_it(void **state) {
    (void)state;
    static const char list[] = "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"Product List "
                               "Viewed\",\"properties\":{\"products\":[\"A\",\"B\",\"A\"]}}";
    struct at_profile *p = at_profile_new(1, NULL);
    happen(&world, &p, NOW_MS, list);
    happen(&world, &p, NOW_MS + AT_SHOWN_HALF_MS, list);
    NEAR(at_profile_met(p, AT_TEXT("A"))->shown, 1.5);
    happen(&world, &p, NOW_MS + AT_SHOWN_HALF_MS, EVENT("Product Viewed", "A", "x"));
    assert_true(at_profile_met(p, AT_TEXT("A"))->shown == 0);
    NEAR(at_profile_met(p, AT_TEXT("B"))->shown, 1.5);
    assert_true(at_profile_met(p, AT_TEXT("A"))->viewed_at_ms == NOW_MS + AT_SHOWN_HALF_MS);
    at_profile_unref(p);
}

#define TWO_ORDERED                                                                                          \
    "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"Order Completed\",\"properties\":{\"products\":[" \
    "{\"product_id\":\"A\",\"brand\":\"black\"},{\"product_id\":\"C\",\"brand\":\"blue\",\"category\":"      \
    "\"Lamps\"}]}}"

/* The others: black 6 of 10, red 3 of 10, blue 1 of 10. This person: black 6, blue 6 (two lines); W = 12, n
 * = 2. q(black) = (6 + 1/12) / 11, p below it → 0: everyone likes black. q(blue) = (1 + 1/12) / 11. gain =
 * 6/12 · affinity(blue). */
static void what_everyone_likes_counts_for_nobody(void **state) {
    (void)state;
    struct at_crowd *crowd = at_crowd_new();
    struct at_profile *p = at_profile_new(1, NULL);
    learn(crowd, NOW_MS,
          "{\"type\":\"track\",\"anonymousId\":\"b\",\"event\":\"Order "
          "Completed\",\"properties\":{\"products\":[{\"product_id\":\"A\",\"brand\":\"black\"}]}}",
          true);
    learn(crowd, NOW_MS, EVENT("Product Added to Wishlist", "B", "red"), true);
    learn(crowd, NOW_MS, EVENT("Product Viewed", "C", "blue"), true);
    NEAR(share(crowd, "brand", "black"), 0.6);
    NEAR(share(crowd, "brand", "red"), 0.3);
    NEAR(share(crowd, "brand", "blue"), 0.1);
    assert_true(share(crowd, "brand", "green") == 0 && share(crowd, "colour", "black") == 0);
    happen(&world, &p, NOW_MS, TWO_ORDERED);
    learn(crowd, NOW_MS, TWO_ORDERED, true);
    NEAR(share(crowd, "brand", "black"), 12.0 / 22);
    struct at_baseline *baseline = at_crowd_baseline(crowd);
    double blue = expected(6, 12, (1 + 1.0 / 12) / 11);
    assert_true(affinity_of(p, baseline, NOW_MS, "brand", "black") == 0);
    NEAR(affinity_of(p, baseline, NOW_MS, "brand", "blue"), blue);
    assert_true(affinity_of(p, baseline, NOW_MS, "brand", "red") == 0);
    struct at_tastes tastes;
    at_arena_reset(&arena);
    assert_int_equal(at_tastes_compute(p, baseline, NOW_MS, &arena, &tastes), AT_OK);
    assert_int_equal(tastes.facet_count, 2);
    assert_true(at_text_is(tastes.facets[0].facet, "brand") && tastes.facets[0].count == 2);
    NEAR(tastes.facets[0].gain, blue / 2);
    NEAR(tastes.facets[1].gain, expected(6, 6, 1.0 / 11)); /* Lamps: nobody else */
    at_baseline_unref(baseline);
    at_profile_unref(p);
    at_crowd_free(crowd);
}

/* A shop's first visitor is all of the baseline, and yet has a taste; later, when both have faded alike, the
 * same. */
static void the_first_visitor_has_a_taste(void **state) {
    (void)state;
    struct at_crowd *crowd = at_crowd_new();
    struct at_profile *p = at_profile_new(1, NULL);
    for (int i = 0; i < 6; i++) {
        const char *text =
            i < 5 ? EVENT("Product Viewed", "A", "loved") : EVENT("Product Viewed", "B", "met");
        happen(&world, &p, NOW_MS, text);
        learn(crowd, NOW_MS, text, true);
    }
    struct at_baseline *baseline = at_crowd_baseline(crowd);
    NEAR(affinity_of(p, baseline, NOW_MS, "brand", "loved"), expected(5, 6, 1.0 / 12));
    assert_true(affinity_of(p, baseline, NOW_MS, "brand", "loved") > 0.4);
    NEAR(affinity_of(p, baseline, NOW_MS, "brand", "met"), expected(1, 6, 1.0 / 12));
    NEAR(affinity_of(p, baseline, NOW_MS + AT_AFFINITY_HALF_MS, "brand", "loved"),
         expected(2.5, 3, 1.0 / 12));
    double far = affinity_of(p, baseline, NOW_MS - 2000 * AT_AFFINITY_HALF_MS, "brand", "loved");
    assert_true(far >= 0 && far <= 1);
    at_baseline_unref(baseline);
    at_profile_unref(p);
    at_crowd_free(crowd);
}

static void tastes_come_strongest_first(void **state) {
    (void)state;
    struct at_profile *p = at_profile_new(1, NULL);
    struct at_tastes tastes;
    at_arena_reset(&arena);
    assert_int_equal(at_tastes_compute(p, NULL, NOW_MS, &arena, &tastes), AT_OK);
    assert_int_equal(tastes.facet_count, 0);
    happen(&world, &p, NOW_MS, EVENT("Product Viewed", "A", "one"));
    happen(&world, &p, NOW_MS, EVENT("Product Added", "B", "four"));
    happen(&world, &p, NOW_MS, EVENT("Product Added to Wishlist", "C", "three"));
    at_arena_reset(&arena);
    assert_int_equal(at_tastes_compute(p, NULL, NOW_MS, &arena, &tastes), AT_OK);
    static const char *const order[] = {"four", "three", "one"};
    for (int i = 0; i < 3; i++) assert_true(at_text_is(tastes.values[i].value, order[i]));
    at_profile_unref(p);
}

/* Old events weigh less for everyone too, in whatever order they are told. */
static void the_crowd_forgets_and_is_stored(void **state) {
    (void)state;
    struct at_crowd *a = at_crowd_new(), *b = at_crowd_new(), *c = at_crowd_new();
    learn(a, NOW_MS - AT_AFFINITY_HALF_MS, EVENT("Product Added", "A", "x"), true);
    learn(a, NOW_MS, EVENT("Product Viewed", "B", "y"), true);
    learn(b, NOW_MS, EVENT("Product Viewed", "B", "y"), true);
    learn(b, NOW_MS - AT_AFFINITY_HALF_MS, EVENT("Product Added", "A", "x"), true);
    NEAR(share(a, "brand", "x"), 2.0 / 3);
    NEAR(share(b, "brand", "x"), 2.0 / 3);
    learn(a, NOW_MS,
          "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"Order "
          "Completed\",\"properties\":{\"order_id\":\"1\",\"products\":[{\"product_id\":\"A\",\"brand\":"
          "\"x\"}]}}",
          false);
    NEAR(share(a, "brand", "x"), 2.0 / 3); /* an order told twice counts once */
    at_bytes_reset(&world.bytes);
    at_crowd_write(a, &world.bytes);
    assert_int_equal(at_crowd_read(c, json_of(world.profile_parser, world.bytes.data)), AT_OK);
    NEAR(share(c, "brand", "x"), 2.0 / 3);
    char *before = written(&world);
    at_bytes_reset(&world.bytes);
    at_crowd_write(c, &world.bytes);
    assert_string_equal(before, world.bytes.data);
    free(before);
    learn(c, NOW_MS + 1000 * AT_AFFINITY_HALF_MS, EVENT("Product Viewed", "A", "z"),
          true); /* eighty years on */
    NEAR(share(c, "brand", "z"), 1);
    assert_int_equal(at_crowd_read(c, json_of(world.profile_parser,
                                              "{\"as_of\":\"x\",\"weights\":[1,[],[1,2],[\"a\",null,3]]}")),
                     AT_OK);
    assert_true(share(c, "brand", "x") == 0);
    at_crowd_free(a);
    at_crowd_free(b);
    at_crowd_free(c);
}

static void the_crowd_keeps_to_its_ceiling(void **state) {
    (void)state;
    struct at_crowd *crowd = at_crowd_new();
    char text[200];
    for (int i = 0; i < 100001; i++) {
        snprintf(text, sizeof text, "{\"items\":[{\"product\":\"A\",\"facets\":{\"brand\":\"b%d\"}}]}", i);
        struct at_logged_event logged = {.seq = 1,
                                         .at_ms = NOW_MS + i * AT_MINUTE_MS,
                                         .name = AT_TEXT("product_viewed"),
                                         .facts = json_of(world.facts_parser, text)};
        assert_int_equal(at_crowd_learn(crowd, &logged), AT_OK);
    }
    assert_true(share(crowd, "brand", "b0") == 0 && share(crowd, "brand", "b100000") > 0);
    at_bytes_reset(&world.bytes);
    at_crowd_write(crowd, &world.bytes);
    assert_int_equal(at_json_count(at_json_get(json_of(world.profile_parser, world.bytes.data), "weights")),
                     50001);
    at_crowd_free(crowd);
}

static int begin(void **state) {
    (void)state;
    world_init(&world);
    at_arena_init(&arena, 1 << 24);
    return 0;
}
static int end(void **state) {
    (void)state;
    world_clear(&world);
    at_arena_clear(&arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_of_events),
        cmocka_unit_test(weights_halve_in_thirty_days),
        cmocka_unit_test(shown_fades_and_interest_ends_it),
        cmocka_unit_test(what_everyone_likes_counts_for_nobody),
        cmocka_unit_test(the_first_visitor_has_a_taste),
        cmocka_unit_test(tastes_come_strongest_first),
        cmocka_unit_test(the_crowd_forgets_and_is_stored),
        cmocka_unit_test(the_crowd_keeps_to_its_ceiling),
    };
    return cmocka_run_group_tests_name("profile affinity", tests, begin, end);
}
