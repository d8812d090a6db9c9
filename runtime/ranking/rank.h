/* SPDX-License-Identifier: Apache-2.0
 *
 * Puts products in order: the one order of a list, always —
 *   (the shopper's filter chose the candidates) · hide and only · score, or the shopper's sort · first · bury
 * · diversify · explore · pin. Knows no Lua: scores and conditions come through judges. Everything lives in
 * the request's arena.
 */
#ifndef AT_RANKING_RANK_H
#define AT_RANKING_RANK_H

#include "rail/rail.h"

struct at_diversify {
    int attribute;    /* TEXT, or LIST (its first value); -1: the attribute never occurred: nothing to do */
    uint32_t at_most; /* of one value among any `within` neighbouring places */
    uint32_t within;
};
struct at_sort {
    int attribute; /* NUMBER, DATE or TEXT; "newest" is released, descending */
    bool is_descending;
};
/* "price", "-price" from the highest, "newest". AT_UNPROCESSABLE: field sort says what is wrong. */
enum at_status at_sort_read(const struct at_root *root, struct at_text name, struct at_sort *out,
                            struct at_error *err) AT_MUST_CHECK;
struct at_rail_use { /* a rail that applies here, with its judge (not for pins) */
    const struct at_rail *rail;
    struct at_judge judge;
};

struct at_explored {
    uint32_t place, row; /* place from 0, before pins */
};

struct at_rank_ask {
    const struct at_root *root;
    struct at_arena *arena;
    const uint32_t *candidates; /* distinct live rows */
    uint32_t candidate_count;
    const struct at_rail_use *rails; /* in order of name */
    uint32_t rail_count;
    const struct at_judge *score;  /* NULL: catalog order (row order), score missing */
    const struct at_judge *first;  /* NULL: none */
    const struct at_sort *sort;    /* the shopper's own; then first, bury, diversify, explore and pins rest */
    struct at_diversify diversify; /* at_most 0: off */
    double explore_share;          /* 0: off */
    const uint32_t *shown; /* how often each row was shown lately, by row of the root; NULL: treat as 0 */
    uint64_t seed;         /* of exploration; the same seed gives the same list */
    const struct at_explored *explored; /* places before offset that an earlier page filled by exploration */
    uint32_t explored_count;
    uint32_t offset, limit;
    bool wants_explanation;
};

struct at_placed {
    uint32_t row;
    double score;        /* missing: none */
    double propensity;   /* of standing at this place by exploration's draw: 1 without exploration */
    uint32_t by_score;   /* place by score alone (or sort), from 1; only with wants_explanation, else 0 */
    const char *because; /* "score" "sort" "first" "bury" "diversify" "explore" "pin" */
    const char *rail;    /* the rail's name for bury and pin, else NULL */
};
struct at_withheld {
    uint32_t row;
    const char *rail; /* the first rail that withheld it */
    bool by_only, is_failure;
};
struct at_rank_result {
    struct at_placed *items;
    uint32_t count, total;        /* total: candidates left after hide and only */
    struct at_withheld *withheld; /* with wants_explanation: all of them */
    uint32_t withheld_count;
    uint32_t bad_scores;          /* NaN, infinite or missing: ranked last */
    uint32_t rail_failures;       /* products a rail could not judge */
    bool has_score_failed;        /* the score judge failed: catalog order after rails; error says why */
    struct at_explored *explored; /* every place up to the end of this page that exploration filled */
    uint32_t explored_count;
    struct at_error error; /* of the first failure of any judge */
    const char *failed_rail;
    uint32_t *order; /* with wants_explanation: the whole list as rows, after everything */
};
/* AT_NOMEM only: failing judges end in the fallback, not in an error. */
enum at_status at_rank(const struct at_rank_ask *ask, struct at_rank_result *result) AT_MUST_CHECK;

#endif
