/* SPDX-License-Identifier: Apache-2.0
 *
 * The one order of a list: each step by itself, and all of them against a slow model that does what the
 * header says in the plainest way; pages against the whole; exploration against its own propensities.
 */
#include "catalog_world.h"
#include "ranking/internal.h"

enum { PRODUCTS = 120, CASES = 3000, RAILS = 6 };

static struct world world;
static struct at_root *root;
static struct at_arena arena;

static void build_catalog(void) {
    world_init(&world);
    for (int i = 0; i < PRODUCTS; i++) {
        char text[300];
        int at = snprintf(text, sizeof text, "{\"id\":\"P%03d\",\"title\":\"T\"", (i * 37) % PRODUCTS);
        if (i % 7) at += snprintf(text + at, sizeof text - (size_t)at, ",\"brand\":\"b%d\"", i % 4);
        if (i % 5) at += snprintf(text + at, sizeof text - (size_t)at, ",\"price\":%d", (i * 13) % 40);
        if (i % 3)
            at += snprintf(text + at, sizeof text - (size_t)at, ",\"tags\":[\"t%d\",\"t%d\"]", i % 3, i % 5);
        snprintf(text + at, sizeof text - (size_t)at, "}");
        assert_int_equal(world_put(&world, text), AT_OK);
    }
    root = at_catalog_root(world.catalog);
}

/* ---- judges of plain C ---- */

struct answers {
    double by_row[PRODUCTS];
    bool fails;
};
static enum at_status judge_answers(void *arg, const struct at_candidates *candidates, double *out,
                                    struct at_error *err) {
    const struct answers *answers = arg;
    if (answers->fails) return at_fail(err, AT_FAILED, "script", "scripts/a.lua:3: it broke");
    for (uint32_t i = 0; i < candidates->count; i++) out[i] = answers->by_row[candidates->rows[i]];
    return AT_OK;
}

struct setting { /* one ask with all it points to */
    struct at_rank_ask ask;
    uint32_t candidates[PRODUCTS];
    struct answers score, first, conditions[RAILS];
    struct at_judge score_judge, first_judge;
    struct at_rail rails[RAILS];
    struct at_rail_use uses[RAILS];
    struct at_pin pins[RAILS][3];
    char names[RAILS][8], ids[RAILS][3][8];
    struct at_sort sort;
    uint32_t shown[PRODUCTS];
};

static void plain_setting(struct setting *s, uint32_t count) {
    memset(s, 0, sizeof *s);
    for (uint32_t i = 0; i < count; i++) s->candidates[i] = i;
    for (uint32_t i = 0; i < PRODUCTS; i++) s->score.by_row[i] = i;
    s->score_judge = (struct at_judge){judge_answers, &s->score};
    s->first_judge = (struct at_judge){judge_answers, &s->first};
    s->ask = (struct at_rank_ask){.root = root,
                                  .arena = &arena,
                                  .candidates = s->candidates,
                                  .candidate_count = count,
                                  .rails = s->uses,
                                  .score = &s->score_judge,
                                  .diversify = {.attribute = -1},
                                  .limit = count,
                                  .seed = 1};
}

static struct answers *add_rail(struct setting *s, enum at_rail_kind kind) {
    uint32_t n = s->ask.rail_count++;
    snprintf(s->names[n], sizeof s->names[n], "r%u", n);
    s->rails[n] = (struct at_rail){.name = s->names[n], .kind = kind, .pins = s->pins[n]};
    s->uses[n] = (struct at_rail_use){&s->rails[n], {judge_answers, &s->conditions[n]}};
    return &s->conditions[n];
}

static void add_pin(struct setting *s, uint32_t rail, uint32_t row, uint32_t place) {
    uint32_t n = s->rails[rail].pin_count++;
    struct at_text id = at_root_id(root, row);
    snprintf(s->ids[rail][n], sizeof s->ids[rail][n], "%.*s", (int)id.length, id.data);
    s->pins[rail][n] = (struct at_pin){at_text_of(s->ids[rail][n]), place};
}

static struct at_rank_result run(struct setting *s) {
    struct at_rank_result result;
    assert_int_equal(at_rank(&s->ask, &result), AT_OK);
    return result;
}

static void assert_rows(const struct at_rank_result *result, const uint32_t *rows, uint32_t count) {
    assert_true(result->count >= count);
    for (uint32_t i = 0; i < count; i++) assert_int_equal(result->items[i].row, rows[i]);
}
#define EXPECT(result, ...)                                                                                  \
    assert_rows(result, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

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

/* ---- the model ---- */

struct model {
    uint32_t rows[PRODUCTS], tier[PRODUCTS], count;
    uint32_t list[PRODUCTS];
    const char *because[PRODUCTS];
};

static int tier_of(const struct setting *s, uint32_t row) {
    bool is_bad = !isfinite(s->score.by_row[row]) && !s->score.fails;
    if (is_bad) return 3;
    for (uint32_t i = 0; i < s->ask.rail_count; i++)
        if (s->rails[i].kind == AT_RAIL_BURY && s->conditions[i].by_row[row] > 0) return 2;
    return s->ask.first && s->first.by_row[row] > 0 ? 0 : 1;
}

static bool stands_before(const struct setting *s, uint32_t a, uint32_t b) {
    int x = tier_of(s, a), y = tier_of(s, b);
    if (x != y) return x < y;
    if (s->score.fails || x == 3) return a < b;
    if (s->score.by_row[a] != s->score.by_row[b]) return s->score.by_row[a] > s->score.by_row[b];
    struct at_text m = at_root_id(root, a), n = at_root_id(root, b);
    return memcmp(m.data, n.data, 4) < 0;
}

static void find_visible(const struct setting *s, struct model *m) {
    for (uint32_t i = 0; i < s->ask.candidate_count; i++) {
        uint32_t row = s->candidates[i];
        bool stays = true;
        for (uint32_t r = 0; r < s->ask.rail_count; r++) {
            double answer = s->conditions[r].by_row[row];
            if (s->rails[r].kind == AT_RAIL_HIDE)
                stays &= !(answer > 0) && (answer == answer || at_is_missing(answer));
            if (s->rails[r].kind == AT_RAIL_ONLY) stays &= answer > 0;
        }
        if (stays) m->rows[m->count++] = row;
    }
    for (uint32_t i = 1; i < m->count; i++)
        for (uint32_t k = i; k && stands_before(s, m->rows[k], m->rows[k - 1]); k--) {
            uint32_t swap = m->rows[k];
            m->rows[k] = m->rows[k - 1];
            m->rows[k - 1] = swap;
        }
}

static uint32_t value_of(const struct setting *s, uint32_t row) {
    int attribute = s->ask.diversify.attribute;
    uint32_t code = at_root_code(root, attribute, row), count;
    if (!code || at_root_attribute_at(root, attribute)->kind == AT_ATTRIBUTE_TEXT) return code;
    return at_root_set(root, attribute, code, &count)[0];
}

static bool is_allowed(const struct setting *s, const uint32_t *list, uint32_t place, uint32_t row) {
    const struct at_diversify *d = &s->ask.diversify;
    uint32_t same = 0, value = value_of(s, row);
    for (uint32_t back = 1; back < d->within && back <= place; back++)
        same += value_of(s, list[place - back]) == value;
    return !value || same < d->at_most;
}

/* Takes the best that diversity allows, or the best, of the tier it is the turn of. */
static void diversify_model(const struct setting *s, struct model *m) {
    uint32_t out[PRODUCTS], placed = 0;
    bool is_taken[PRODUCTS] = {false};
    while (placed < m->count) {
        uint32_t best = 0;
        while (is_taken[best]) best++;
        uint32_t take = best;
        for (uint32_t i = best; s->ask.diversify.at_most && s->ask.diversify.attribute >= 0 && i < m->count;
             i++) {
            if (tier_of(s, m->rows[i]) != tier_of(s, m->rows[best])) break;
            if (is_taken[i] || !is_allowed(s, out, placed, m->rows[i])) continue;
            take = i;
            break;
        }
        is_taken[take] = true;
        out[placed++] = m->rows[take];
    }
    memcpy(m->rows, out, m->count * sizeof *out);
}

static bool takes_part(const struct model *m, uint32_t row) {
    for (uint32_t i = 0; i < m->count; i++)
        if (m->rows[i] == row) return true;
    return false;
}

/* The whole list: pins, around them the rest in its order. Diversity looks at the list without what is
 * pinned. */
static void model_list(const struct setting *s, struct model *m) {
    uint32_t pinned[PRODUCTS + 64], taken = 0, kept = 0;
    bool is_pinned[PRODUCTS] = {false};
    memset(m, 0, sizeof *m);
    memset(pinned, 0xff, sizeof pinned);
    find_visible(s, m);
    uint32_t visible = m->count;
    for (uint32_t r = 0; r < s->ask.rail_count; r++)
        for (uint32_t p = 0; s->rails[r].kind == AT_RAIL_PIN && p < s->rails[r].pin_count; p++) {
            struct at_text id = s->pins[r][p].product;
            uint32_t row = at_root_row(root, id.data, id.length), place = s->pins[r][p].place - 1;
            if (!takes_part(m, row) || is_pinned[row] || pinned[place] != UINT32_MAX) continue;
            is_pinned[row] = true;
            pinned[place] = row;
        }
    for (uint32_t i = 0; i < m->count; i++)
        if (!is_pinned[m->rows[i]]) m->rows[kept++] = m->rows[i];
    m->count = kept;
    diversify_model(s, m);
    uint32_t late = 0;
    for (uint32_t place = 0; place < visible; place++) {
        if (pinned[place] != UINT32_MAX)
            m->list[place] = pinned[place], late = place + 1 > late ? place + 1 : late;
        else if (taken < kept)
            m->list[place] = m->rows[taken++];
        else {
            uint32_t from = place + 1;
            while (pinned[from] == UINT32_MAX) from++;
            m->list[place] = pinned[from];
            pinned[from] = UINT32_MAX;
        }
    }
    m->count = visible;
}

/* ---- random asks ---- */

static double random_score(uint64_t *random) {
    switch (random_below(random, 12)) {
    case 0: return NAN;
    case 1: return at_missing();
    case 2: return random_below(random, 2) ? INFINITY : -INFINITY;
    default: return random_below(random, 6) / 4.0 - 0.5;
    }
}

static void random_setting(struct setting *s, uint64_t *random) {
    static const char *const attributes[] = {"brand", "tags", "price"};
    plain_setting(s, 0);
    for (uint32_t row = 0; row < PRODUCTS; row++)
        if (random_below(random, 3)) s->candidates[s->ask.candidate_count++] = row;
    for (uint32_t row = 0; row < PRODUCTS; row++) {
        s->score.by_row[row] = random_score(random);
        s->first.by_row[row] = random_below(random, 5) == 0;
        s->shown[row] = random_below(random, 4);
    }
    s->score.fails = random_below(random, 10) == 0;
    if (random_below(random, 2)) s->ask.first = &s->first_judge;
    if (random_below(random, 2))
        s->ask.diversify = (struct at_diversify){attribute_of(root, attributes[random_below(random, 2)]),
                                                 1 + random_below(random, 3), 1 + random_below(random, 8)};
    for (uint32_t n = random_below(random, RAILS + 1); n; n--) {
        struct answers *answers = add_rail(s, (enum at_rail_kind)random_below(random, 4));
        uint32_t rail = s->ask.rail_count - 1, share = random_below(random, 9) + 1;
        bool is_only = s->rails[rail].kind == AT_RAIL_ONLY;
        for (uint32_t row = 0; row < PRODUCTS; row++) {
            answers->by_row[row] = (random_below(random, 10) >= share) != is_only ? 0 : 1;
            if (random_below(random, 40) == 0)
                answers->by_row[row] = random_below(random, 2) ? at_missing() : NAN;
        }
        for (uint32_t p = random_below(random, 4); s->rails[rail].kind == AT_RAIL_PIN && p; p--)
            add_pin(s, rail, random_below(random, PRODUCTS), 1 + random_below(random, PRODUCTS + 20));
    }
    s->ask.shown = random_below(random, 2) ? s->shown : NULL;
    s->ask.seed = next_random(random);
    s->ask.wants_explanation = random_below(random, 4) == 0;
}

static void the_list_is_the_models_list(void **state) {
    (void)state;
    uint64_t seed = first_seed(20261126), random = seed;
    struct setting s;
    struct model model;
    for (int i = 0; i < CASES; i++) {
        at_arena_reset(&arena);
        random_setting(&s, &random);
        model_list(&s, &model);
        s.ask.offset = random_below(&random, 30);
        s.ask.limit = 1 + random_below(&random, 40);
        struct at_rank_result result = run(&s);
        uint32_t left = model.count > s.ask.offset ? model.count - s.ask.offset : 0;
        assert_int_equal(result.total, model.count);
        assert_int_equal(result.count, left < s.ask.limit ? left : s.ask.limit);
        for (uint32_t k = 0; k < result.count; k++)
            if (result.items[k].row != model.list[s.ask.offset + k])
                fail_msg("case %d, place %u: %u, not %u", i, s.ask.offset + k, result.items[k].row,
                         model.list[s.ask.offset + k]);
    }
    printf("property: seed %llu, %d lists as the model's\n", (unsigned long long)seed, CASES);
}

static void every_list_is_a_permutation_and_its_pages_are_the_list(void **state) {
    (void)state;
    uint64_t seed = first_seed(11), random = seed;
    struct setting s;
    for (int i = 0; i < CASES; i++) {
        at_arena_reset(&arena);
        random_setting(&s, &random);
        s.ask.explore_share = random_below(&random, 3) * 0.3;
        struct model model = {.count = 0};
        find_visible(&s, &model);
        s.ask.limit = PRODUCTS;
        struct at_rank_result whole = run(&s);
        uint8_t is_there[PRODUCTS] = {0};
        assert_int_equal(whole.count, model.count);
        for (uint32_t k = 0; k < whole.count; k++) {
            const struct at_placed *item = &whole.items[k];
            assert_true(takes_part(&model, item->row) && !is_there[item->row]);
            assert_true(item->propensity > 0 && item->propensity <= 1 + 1e-12);
            is_there[item->row] = 1;
        }
        struct at_explored *explored = NULL;
        uint32_t explored_count = 0, size = 1 + random_below(&random, 20);
        for (s.ask.offset = 0, s.ask.limit = size; s.ask.offset < whole.count; s.ask.offset += size) {
            s.ask.explored = explored;
            s.ask.explored_count = explored_count;
            struct at_rank_result page = run(&s);
            for (uint32_t k = 0; k < page.count; k++) {
                assert_int_equal(page.items[k].row, whole.items[s.ask.offset + k].row);
                assert_string_equal(page.items[k].because, whole.items[s.ask.offset + k].because);
                assert_true(page.items[k].propensity == whole.items[s.ask.offset + k].propensity);
            }
            explored = page.explored;
            explored_count = page.explored_count;
        }
        s.ask.explored_count = 0;
    }
    printf("property: seed %llu, %d lists and their pages\n", (unsigned long long)seed, CASES);
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
        cmocka_unit_test(the_list_is_the_models_list),
        cmocka_unit_test(every_list_is_a_permutation_and_its_pages_are_the_list),
        cmocka_unit_test(exploration_shows_the_least_shown_and_says_how_likely),
        cmocka_unit_test(the_same_seed_gives_the_same_list),
        cmocka_unit_test(a_rail_holds_where_and_when_it_says),
    };
    at_arena_init(&arena, 1 << 28);
    build_catalog();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    at_root_unref(root);
    world_clear(&world);
    at_arena_clear(&arena);
    return failed;
}
