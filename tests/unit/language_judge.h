/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of rules share: one shop, and a rule judged over all of its products as analysed and product
 * by product.
 */
#ifndef TESTS_UNIT_LANGUAGE_JUDGE_H
#define TESTS_UNIT_LANGUAGE_JUDGE_H

#include "language_world.h"

enum { PRODUCTS = 300 };

static struct shop_world world;

/* ---- running one ranking's score, or its first, either way ---- */

struct outcome {
    enum at_status status;
    struct at_error err;
    double out[512];
    struct at_rule_use use;
};

static inline void judge(const struct at_rule_report *report, int function, bool is_condition, bool explains,
                         struct outcome *outcome) {
    struct at_candidates candidates = {world.root, world.rows, world.row_count, &world.request};
    memset(outcome, 0, sizeof *outcome);
    world.view.explains = explains;
    outcome->use = (struct at_rule_use){.language = world.language,
                                        .view = &world.view,
                                        .report = report,
                                        .function = function,
                                        .is_condition = is_condition,
                                        .path = "scripts/a.lua",
                                        .name = "r",
                                        .line = 1};
    memset(outcome->use.reads, 0xff, sizeof outcome->use.reads);
    outcome->status = at_rule_judge(&outcome->use, &candidates, outcome->out, &outcome->err);
}

static inline bool is_same(double a, double b) {
    if (at_is_missing(a) || at_is_missing(b)) return at_is_missing(a) && at_is_missing(b);
    return (a != a && b != b) || memcmp(&a, &b, sizeof a) == 0;
}

/* As analysed, and product by product. *columns counts runs on columns. */
static inline void assert_both_ways(const struct at_rule_report *report, int function, bool is_condition,
                                    const char *text, uint32_t *columns) {
    static struct outcome fast, slow;
    /* the second time with what was kept of the first, the third with values kept row by row */
    const struct at_profile *const people[] = {world.nobody, world.somebody, world.nobody};
    struct at_rule_report rows_only = *report;
    rows_only.is_columnar = false;
    rows_only.compiled = NULL;
    for (size_t p = 0; p < AT_LENGTH(people); p++) {
        begin_decision(&world, people[p]);
        judge(report, function, is_condition, false, &fast);
        judge(&rows_only, function, is_condition, false, &slow);
        if (fast.status != slow.status)
            fail_msg("%d (%s), %d (%s)\n%s", fast.status, fast.err.message, slow.status, slow.err.message,
                     text);
        if (fast.status == AT_OK) *columns += fast.use.ran_on_columns;
        for (uint32_t i = 0; i < world.row_count && fast.status == AT_OK; i++)
            if (!is_same(fast.out[i], slow.out[i]))
                fail_msg("product %u: %.17g on columns, %.17g alone\n%s", i, fast.out[i], slow.out[i], text);
        at_decision_end(world.language, &world.view);
    }
}

/* ---- rules by hand ---- */

/* One rule by hand: its score for a product. */
static inline double score_of(const char *body, uint32_t row, const struct at_profile *profile) {
    static struct outcome outcome;
    char text[2000];
    snprintf(text, sizeof text, "ranking \"r\" { score = function(product, customer, page)\n%s\nend }", body);
    must_load(&world, text);
    const struct at_ranking *ranking = &world.generation->rankings[0];
    uint32_t columns = 0;
    assert_both_ways(&ranking->score_report, ranking->score, false, text, &columns);
    begin_decision(&world, profile);
    judge(&ranking->score_report, ranking->score, false, false, &outcome);
    if (outcome.status != AT_OK) fail_msg("%s\n%s", outcome.err.message, text);
    double value = outcome.out[row];
    at_decision_end(world.language, &world.view);
    return value;
}
#define SCORE(body, row) score_of(body, row, world.somebody)

static inline const char *rule_failure(const char *body) {
    static struct outcome outcome;
    char text[2000];
    snprintf(text, sizeof text, "ranking \"r\" { score = function(product, customer, page)\n%s\nend }", body);
    must_load(&world, text);
    const struct at_ranking *ranking = &world.generation->rankings[0];
    begin_decision(&world, world.somebody);
    world.view.deadline_ns = at_ticks_ns() + AT_DECISION_BUDGET_NS;
    judge(&ranking->score_report, ranking->score, false, false, &outcome);
    assert_int_not_equal(outcome.status, AT_OK);
    at_decision_end(world.language, &world.view);
    return outcome.err.message;
}

#endif
