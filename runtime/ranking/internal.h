/* SPDX-License-Identifier: Apache-2.0
 *
 * What rank.c (scores, order) and arrange.c (diversity, exploration, pins) share, and column_run.c with
 * pack.c and packed_sum.c. Private to ranking/.
 */
#ifndef AT_RANKING_INTERNAL_H
#define AT_RANKING_INTERNAL_H

#include "ranking/column.h"
#include "ranking/rank.h"

enum { RANK_TIER_FIRST, RANK_TIER_PLAIN, RANK_TIER_BURIED, RANK_TIER_BAD };
struct rank_key {
    double value;
    uint32_t index; /* into rows and scores */
    uint32_t tier;
};
struct rank_work {
    const struct at_rank_ask *ask;
    struct at_rank_result *result;
    uint32_t *rows; /* left after hide and only */
    double *scores;
    const double *values;   /* what decides within a tier, all comparable: the scores, or the sort's values */
    uint8_t *tiers;         /* NULL: all are plain */
    struct rank_key *keys;  /* of those that are ordered */
    const char **buried_by; /* the rail, by index; NULL: no rail buries here */
    uint32_t count, ordered; /* keys[0 … ordered) are the first in order of tier, value, id */
    bool is_scored;
};

static inline uint32_t rank_tier(const struct rank_work *work, uint32_t index) {
    return work->tiers ? work->tiers[index] : RANK_TIER_PLAIN;
}

/* Diversity, exploration and pins over the ordered prefix; fills result->items. */
enum at_status at_rank_arrange(struct rank_work *work) AT_MUST_CHECK;
uint32_t at_rank_pin_count(const struct at_rank_ask *ask); /* pins that could move products */
/* at_program_run for a taste, times a number, plus kept terms. False: the program is none of these. */
bool at_program_run_packed_sum(const struct at_program *program, int result, const uint32_t *rows,
                               uint32_t count, double *out);
/* How many operands a node reads through a, b, c. */
int at_program_operands(const struct at_column *node);
/* Whether a node is never missing, whatever the product, from whether its operands are. */
bool at_program_never_missing(const struct at_column *node, const bool *is_sure);
/* Order all keys, when the prefix was too short for diversity. */
void at_rank_order_all(struct rank_work *work);

#endif
