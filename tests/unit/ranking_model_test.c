/* SPDX-License-Identifier: Apache-2.0
 *
 * The one order of a list: random asks against a slow model that does what the header says in the plainest
 * way; pages against the whole.
 */
#include "ranking_world.h"

enum { CASES = 3000 };

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_the_models_list),
        cmocka_unit_test(every_list_is_a_permutation_and_its_pages_are_the_list),
    };
    return run_with_catalog(tests, AT_LENGTH(tests));
}
