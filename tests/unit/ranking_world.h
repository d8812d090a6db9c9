/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of ranking share: a catalog, judges of plain C, an ask with all it points to, and running it.
 */
#ifndef TESTS_UNIT_RANKING_WORLD_H
#define TESTS_UNIT_RANKING_WORLD_H

#include "catalog_world.h"
#include "ranking/internal.h"

enum { PRODUCTS = 120, RAILS = 6 };

static struct world world;
static struct at_root *root;
static struct at_arena arena;

static inline void build_catalog(void) {
    world_init(&world);
    for (int i = 0; i < PRODUCTS; i++) {
        char text[300];
        int at = snprintf(text, sizeof text, "{\"id\":\"P%03d\",\"title\":\"T\"", (i * 37) % PRODUCTS);
        if (i % 7) at += snprintf(text + at, sizeof text - (size_t)at, ",\"brand\":\"b%d\"", i % 4);
        if (i % 5) at += snprintf(text + at, sizeof text - (size_t)at, ",\"price\":%d", (i * 13) % 40);
        if (i % 6) at += snprintf(text + at, sizeof text - (size_t)at, ",\"category\":\"c%d\"", i % 3);
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
static inline enum at_status judge_answers(void *arg, const struct at_candidates *candidates, double *out,
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

static inline void plain_setting(struct setting *s, uint32_t count) {
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

static inline struct answers *add_rail(struct setting *s, enum at_rail_kind kind) {
    uint32_t n = s->ask.rail_count++;
    snprintf(s->names[n], sizeof s->names[n], "r%u", n);
    s->rails[n] = (struct at_rail){.name = s->names[n], .kind = kind, .pins = s->pins[n]};
    s->uses[n] = (struct at_rail_use){&s->rails[n], {judge_answers, &s->conditions[n]}};
    return &s->conditions[n];
}

static inline void add_pin(struct setting *s, uint32_t rail, uint32_t row, uint32_t place) {
    uint32_t n = s->rails[rail].pin_count++;
    struct at_text id = at_root_id(root, row);
    snprintf(s->ids[rail][n], sizeof s->ids[rail][n], "%.*s", (int)id.length, id.data);
    s->pins[rail][n] = (struct at_pin){at_text_of(s->ids[rail][n]), place};
}

static inline struct at_rank_result run(struct setting *s) {
    struct at_rank_result result;
    assert_int_equal(at_rank(&s->ask, &result), AT_OK);
    return result;
}

static inline void assert_rows(const struct at_rank_result *result, const uint32_t *rows, uint32_t count) {
    assert_true(result->count >= count);
    for (uint32_t i = 0; i < count; i++) assert_int_equal(result->items[i].row, rows[i]);
}
#define EXPECT(result, ...)                                                                                  \
    assert_rows(result, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

/* A group of tests, within the life of the catalog. */
static inline int run_with_catalog(const struct CMUnitTest *tests, size_t count) {
    at_arena_init(&arena, 1 << 28);
    build_catalog();
    int failed = _cmocka_run_group_tests("ranking", tests, count, NULL, NULL);
    at_root_unref(root);
    world_clear(&world);
    at_arena_clear(&arena);
    return failed;
}

#endif
