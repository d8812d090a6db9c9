/* SPDX-License-Identifier: Apache-2.0
 *
 * The one order of a list: each step by itself; exploration against its own propensities.
 */
#include "ranking_world.h"

/* ---- each step ---- */

static void scores_descend_and_ties_go_by_id(void **state) {
    (void)state;
    struct setting s;
    plain_setting(&s, 6);
    struct at_rank_result result = run(&s);
    EXPECT(&result, 5, 4, 3, 2, 1, 0);
    for (uint32_t i = 0; i < 6; i++) s.score.by_row[i] = 0.5; /* ids: P000 P037 P074 P111 P028 P065 */
    result = run(&s);
    EXPECT(&result, 0, 4, 1, 5, 2, 3);
    assert_string_equal(result.items[0].because, "score");
    assert_true(result.items[0].propensity == 1);
    assert_int_equal(result.total, 6);
}

static void a_score_that_is_no_number_comes_last(void **state) {
    (void)state;
    struct setting s;
    plain_setting(&s, 6);
    s.score.by_row[5] = NAN;
    s.score.by_row[3] = at_missing();
    s.score.by_row[1] = INFINITY;
    struct at_rank_result result = run(&s);
    EXPECT(&result, 4, 2, 0, 1, 3, 5);
    assert_int_equal(result.bad_scores, 3);
}

static void a_score_that_fails_leaves_catalog_order_after_rails(void **state) {
    (void)state;
    struct setting s;
    plain_setting(&s, 6);
    s.score.fails = true;
    add_rail(&s, AT_RAIL_HIDE)->by_row[2] = 1;
    add_rail(&s, AT_RAIL_BURY)->by_row[0] = 1;
    struct at_rank_result result = run(&s);
    EXPECT(&result, 1, 3, 4, 5, 0);
    assert_true(result.has_score_failed && result.bad_scores == 0);
    assert_string_equal(result.error.message, "scripts/a.lua:3: it broke");
}

static void hide_takes_away_and_only_keeps(void **state) {
    (void)state;
    struct setting s;
    plain_setting(&s, 6);
    s.ask.wants_explanation = true;
    add_rail(&s, AT_RAIL_HIDE)->by_row[5] = 1;
    struct answers *only = add_rail(&s, AT_RAIL_ONLY);
    for (int i = 1; i < 6; i++) only->by_row[i] = 1;
    only->by_row[4] = at_missing(); /* what is unknown does not pass */
    struct at_rank_result result = run(&s);
    EXPECT(&result, 3, 2, 1);
    assert_int_equal(result.count, 3);
    assert_int_equal(result.withheld_count, 3);
    assert_int_equal(result.withheld[0].row, 5);
    assert_string_equal(result.withheld[0].rail, "r0");
    assert_false(result.withheld[0].by_only);
    assert_true(result.withheld[1].by_only && result.withheld[1].row == 0);
}

static void rails_that_fail_withhold(void **state) {
    (void)state;
    struct setting s;
    plain_setting(&s, 4);
    add_rail(&s, AT_RAIL_HIDE)->by_row[3] = NAN; /* failed for this product */
    struct at_rank_result result = run(&s);
    EXPECT(&result, 2, 1, 0);
    assert_int_equal(result.count, 3);
    assert_int_equal(result.rail_failures, 1);
    assert_string_equal(result.failed_rail, "r0");
    for (int kind = AT_RAIL_HIDE; kind <= AT_RAIL_ONLY; kind++) {
        plain_setting(&s, 4);
        add_rail(&s, (enum at_rail_kind)kind)->fails = true;
        result = run(&s);
        assert_int_equal(result.count, 0);
        assert_int_equal(result.total, 0);
        assert_int_equal(result.rail_failures, 4);
    }
    plain_setting(&s, 4);
    add_rail(&s, AT_RAIL_BURY)->fails = true;
    result = run(&s);
    EXPECT(&result, 3, 2, 1, 0);
}

static void first_comes_first_and_bury_last(void **state) {
    (void)state;
    struct setting s;
    plain_setting(&s, 6);
    s.ask.first = &s.first_judge;
    s.first.by_row[0] = s.first.by_row[1] = s.first.by_row[2] = 1;
    struct answers *bury = add_rail(&s, AT_RAIL_BURY);
    bury->by_row[2] = bury->by_row[5] = 1;
    struct at_rank_result result = run(&s);
    EXPECT(&result, 1, 0, 4, 3, 5, 2);
    assert_string_equal(result.items[0].because, "first");
    assert_string_equal(result.items[4].because, "bury");
    assert_string_equal(result.items[4].rail, "r0");
    assert_null(result.items[0].rail);
}

static void only_withholding_acts_under_the_shoppers_sort(void **state) {
    (void)state;
    struct setting s;
    plain_setting(&s, 8); /* prices: none 13 26 39 12 none 38 11 */
    s.sort = (struct at_sort){attribute_of(root, "price"), false};
    s.ask.sort = &s.sort;
    s.ask.first = &s.first_judge;
    s.first.by_row[3] = 1;
    s.ask.explore_share = 1;
    s.ask.diversify = (struct at_diversify){attribute_of(root, "brand"), 1, 8};
    add_rail(&s, AT_RAIL_BURY)->by_row[7] = 1;
    add_rail(&s, AT_RAIL_PIN);
    add_pin(&s, 1, 0, 1);
    add_rail(&s, AT_RAIL_HIDE)->by_row[4] = 1;
    struct at_rank_result result = run(&s);
    EXPECT(&result, 7, 1, 2, 6, 3, 0, 5);
    assert_string_equal(result.items[0].because, "sort");
    s.sort.is_descending = true;
    result = run(&s);
    EXPECT(&result, 3, 6, 2, 1, 7, 0, 5); /* missing stays last */
    s.sort = (struct at_sort){attribute_of(root, "brand"), true};
    result = run(&s);
    EXPECT(&result, 3, 2, 6, 1, 5, 0, 7); /* b3; b2: P074 P102; b1: P037 P065; none: P000 P019 */
}

static void pins_hold_their_places(void **state) {
    (void)state;
    struct setting s;
    plain_setting(&s, 6);
    add_rail(&s, AT_RAIL_PIN);
    add_pin(&s, 0, 0, 1);
    add_pin(&s, 0, 1, 3);
    add_pin(&s, 0, 50, 2); /* not among the candidates */
    add_rail(&s, AT_RAIL_PIN);
    add_pin(&s, 1, 2, 3); /* a second claim: the rail that comes first by name wins */
    add_pin(&s, 1, 3, 20);
    struct at_rank_result result = run(&s);
    EXPECT(&result, 0, 5, 1, 4, 2, 3); /* beyond the end: last */
    assert_string_equal(result.items[0].because, "pin");
    assert_string_equal(result.items[2].rail, "r0");
    assert_string_equal(result.items[5].rail, "r1");
    assert_true(isnan(result.items[1].score) == false && result.items[1].score == 5);
    add_rail(&s, AT_RAIL_HIDE)->by_row[0] = 1; /* a pin holds for what is still there */
    result = run(&s);
    EXPECT(&result, 5, 4, 1, 2, 3);
}

static void diversify_moves_down_and_never_removes(void **state) {
    (void)state;
    struct setting s;
    plain_setting(&s, 12); /* brands: - 1 2 3 0 1 2 - 0 1 2 3 */
    s.ask.diversify = (struct at_diversify){attribute_of(root, "brand"), 1, 3};
    for (int i = 0; i < 12; i++) s.score.by_row[i] = i % 4 == 1 ? 100 - i : i;
    struct at_rank_result result = run(&s); /* by score: 1 5 9 11 10 8 7 6 4 3 2 0 */
    EXPECT(&result, 1, 11, 10, 5, 8, 7, 9, 6, 4, 3, 2, 0);
    assert_string_equal(result.items[3].because, "diversify");
    assert_string_equal(result.items[1].because, "score");
    assert_int_equal(result.count, 12);
    s.ask.diversify.attribute = -1;
    result = run(&s);
    EXPECT(&result, 1, 5, 9);
}

static void explanation_knows_the_place_by_score(void **state) {
    (void)state;
    struct setting s;
    plain_setting(&s, 5);
    s.ask.wants_explanation = true;
    s.ask.limit = 2;
    add_rail(&s, AT_RAIL_PIN);
    add_pin(&s, 0, 1, 1);
    struct at_rank_result result = run(&s);
    assert_int_equal(result.count, 2);
    assert_int_equal(result.items[0].by_score, 4);
    assert_int_equal(result.items[1].by_score, 1);
    for (uint32_t i = 0; i < 5; i++) assert_int_equal(result.order[i], ((uint32_t[]){1, 4, 3, 2, 0})[i]);
}

static void out_of_memory_is_a_status(void **state) {
    (void)state;
    struct setting s;
    bool is_done = false;
    for (size_t room = 0; !is_done; room += 256) {
        struct at_arena small;
        struct at_rank_result result;
        plain_setting(&s, 60);
        s.ask.arena = &small;
        s.ask.explore_share = 0.2;
        s.ask.diversify = (struct at_diversify){attribute_of(root, "brand"), 1, 4};
        s.ask.wants_explanation = true;
        s.ask.first = &s.first_judge;
        add_rail(&s, AT_RAIL_HIDE)->by_row[3] = 1;
        add_rail(&s, AT_RAIL_PIN);
        add_pin(&s, 1, 9, 2);
        add_rail(&s, AT_RAIL_BURY)->by_row[7] = 1;
        at_arena_init(&small, room);
        enum at_status status = at_rank(&s.ask, &result);
        assert_true(status == AT_OK || status == AT_NOMEM);
        is_done = status == AT_OK;
        at_arena_clear(&small);
        assert_true(room < 1 << 20);
    }
}

/* ---- exploration ---- */

static void exploration_shows_the_least_shown_and_says_how_likely(void **state) {
    (void)state;
    struct setting s;
    enum { DRAWS = 20000, N = 40 };
    double expected[2][N] = {{0}};
    uint32_t free_count[N] = {0}, explored = 0;
    for (uint32_t draw = 0; draw < DRAWS; draw++) {
        at_arena_reset(&arena);
        plain_setting(&s, N);
        for (uint32_t row = 0; row < N; row++) s.shown[row] = row < 10 ? 1 : 100;
        s.ask.shown = s.shown;
        s.ask.explore_share = 0.4;
        s.ask.limit = 2;
        s.ask.seed = draw * 7919u + 5;
        struct at_rank_result result = run(&s);
        for (uint32_t place = 0; place < 2; place++) {
            const struct at_placed *item = &result.items[place];
            bool is_explored = strcmp(item->because, "explore") == 0;
            explored += is_explored;
            if (is_explored) assert_true(item->row < 10);
            expected[place][item->row] += 1 / item->propensity;
        }
        for (uint32_t row = 0; row < N; row++) free_count[row] += result.items[0].row != row;
    }
    assert_true(explored > DRAWS * 0.75 && explored < DRAWS * 0.85);
    for (uint32_t row = 0; row < 10; row++) { /* what is shown once in 1/p times adds up to once a draw */
        assert_true(fabs(expected[0][row] / DRAWS - 1) < 0.2);
        assert_true(fabs(expected[1][row] / free_count[row] - 1) < 0.2);
    }
    assert_true(fabs(expected[0][N - 1] / DRAWS - 1) < 0.05);
}

static void the_same_seed_gives_the_same_list(void **state) {
    (void)state;
    struct setting s;
    uint32_t differ = 0;
    for (uint64_t seed = 1; seed < 50; seed++) {
        at_arena_reset(&arena);
        plain_setting(&s, 60);
        s.ask.explore_share = 0.3;
        s.ask.seed = seed;
        struct at_rank_result one = run(&s), two = run(&s);
        for (uint32_t k = 0; k < one.count; k++) assert_int_equal(one.items[k].row, two.items[k].row);
        s.ask.seed = seed + 1000;
        two = run(&s);
        for (uint32_t k = 0; k < one.count; k++) differ += one.items[k].row != two.items[k].row;
    }
    assert_true(differ > 50);
}

/* ---- where rails hold ---- */

static void a_rail_holds_where_and_when_it_says(void **state) {
    (void)state;
    struct at_place place = {AT_TEXT("product/SKU-1"), AT_TEXT("ranking"), AT_TEXT("collection"), 1000};
    static const struct {
        const char *on;
        bool applies;
    } cases[] = {{NULL, true},
                 {"product", true},
                 {"product/SKU-1", true},
                 {"product/SKU", false},
                 {"prod", false},
                 {"product/SKU-1/x", false},
                 {"ranking", true},
                 {"collection", true},
                 {"search", false},
                 {"", false}};
    for (size_t i = 0; i < AT_LENGTH(cases); i++) {
        struct at_rail rail = {.name = "r", .on = cases[i].on};
        assert_int_equal(at_rail_applies(&rail, &place), cases[i].applies);
    }
    struct at_rail dated = {.name = "r", .from_ms = 1000, .to_ms = 2000};
    static const struct {
        int64_t now;
        bool applies;
    } moments[] = {{999, false}, {1000, true}, {1999, true}, {2000, false}};
    for (size_t i = 0; i < AT_LENGTH(moments); i++) {
        place.now_ms = moments[i].now;
        assert_int_equal(at_rail_applies(&dated, &place), moments[i].applies);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_descend_and_ties_go_by_id),
        cmocka_unit_test(a_score_that_is_no_number_comes_last),
        cmocka_unit_test(a_score_that_fails_leaves_catalog_order_after_rails),
        cmocka_unit_test(hide_takes_away_and_only_keeps),
        cmocka_unit_test(rails_that_fail_withhold),
        cmocka_unit_test(first_comes_first_and_bury_last),
        cmocka_unit_test(only_withholding_acts_under_the_shoppers_sort),
        cmocka_unit_test(pins_hold_their_places),
        cmocka_unit_test(diversify_moves_down_and_never_removes),
        cmocka_unit_test(explanation_knows_the_place_by_score),
        cmocka_unit_test(out_of_memory_is_a_status),
        cmocka_unit_test(exploration_shows_the_least_shown_and_says_how_likely),
        cmocka_unit_test(the_same_seed_gives_the_same_list),
        cmocka_unit_test(a_rail_holds_where_and_when_it_says),
    };
    return run_with_catalog(tests, AT_LENGTH(tests));
}
