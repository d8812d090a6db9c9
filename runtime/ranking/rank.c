/* SPDX-License-Identifier: Apache-2.0
 *
 * at_rank: filters by rails, scores, sorts as far as needed, then hands the ordered prefix to arrange.c for
 * diversity, exploration and pins. One pass down; the only retry is asking for a longer prefix when diversity
 * needs more candidates than were sorted.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/kernel.h"
#include "ranking/internal.h"

#define PAGE_MAX 64 /* so short a prefix is kept in order from the start; a longer one in a heap */
#define STRIDE   16 /* values looked at together */

/* ---- rails that take away ---- */

static void note_failure(struct at_rank_result *result, const struct at_rail *rail,
                         const struct at_error *err) {
    if (result->failed_rail || result->has_score_failed) return;
    result->failed_rail = rail->name;
    result->error = *err;
}

static bool takes_away(const struct at_rail *rail) {
    return rail->kind == AT_RAIL_HIDE || rail->kind == AT_RAIL_ONLY;
}

static enum at_status withhold(struct rank_work *work, const struct at_rail *rail, const uint8_t *verdict,
                               bool is_failure) {
    struct at_rank_result *result = work->result;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < work->count && work->ask->wants_explanation; i++)
        if (verdict[i])
            result->withheld[result->withheld_count++] =
                (struct at_withheld){work->rows[i], rail->name, rail->kind == AT_RAIL_ONLY, is_failure};
    for (uint32_t i = 0; i < work->count; i++) { /* without a branch: who is withheld stands anywhere */
        work->rows[kept] = work->rows[i];
        kept += !verdict[i];
    }
    work->count = kept;
    return AT_OK;
}

static enum at_status apply_withholding(struct rank_work *work, const struct at_rail_use *use,
                                        uint8_t *verdict) {
    struct at_candidates candidates = {work->ask->root, work->rows, work->count, work->ask->arena};
    struct at_error err = {0};
    uint32_t failed;
    enum at_status status = at_rail_judge(use->rail, &use->judge, &candidates, verdict, &failed, &err);
    if (status == AT_NOMEM) return status;
    work->result->rail_failures += failed;
    if (failed) note_failure(work->result, use->rail, &err);
    return withhold(work, use->rail, verdict, status != AT_OK);
}

static enum at_status apply_hiding(struct rank_work *work) {
    const struct at_rank_ask *ask = work->ask;
    uint8_t *verdict = at_arena_alloc(ask->arena, work->count + 1);
    if (!verdict) return AT_NOMEM;
    for (uint32_t i = 0; i < ask->rail_count; i++) {
        if (!takes_away(ask->rails[i].rail) || work->count == 0) continue;
        enum at_status status = apply_withholding(work, &ask->rails[i], verdict);
        if (status != AT_OK) return status;
    }
    return AT_OK;
}

/* ---- values and tiers ---- */

static enum at_status fill_scores(struct rank_work *work) {
    const struct at_rank_ask *ask = work->ask;
    struct at_candidates candidates = {ask->root, work->rows, work->count, ask->arena};
    if (!ask->score || work->count == 0) {
        for (uint32_t i = 0; i < work->count; i++) work->scores[i] = at_missing();
        work->is_scored = false;
        return AT_OK;
    }
    struct at_error err = {0};
    enum at_status status = ask->score->judge(ask->score->arg, &candidates, work->scores, &err);
    work->is_scored = status == AT_OK;
    if (status == AT_OK) return AT_OK;
    work->result->has_score_failed = true;
    work->result->failed_rail = NULL;
    work->result->error = err;
    for (uint32_t i = 0; i < work->count; i++) work->scores[i] = at_missing();
    return AT_OK;
}

static double sort_value(const struct rank_work *work, uint32_t row) {
    const struct at_sort *sort = work->ask->sort;
    if (sort->attribute < 0) return 0;
    double value = at_root_number(work->ask->root, sort->attribute, row);
    if (isnan(value)) return -INFINITY;
    return sort->is_descending ? value : -value;
}

static bool sorts_by_text(const struct rank_work *work) {
    const struct at_sort *sort = work->ask->sort;
    return sort && sort->attribute >= 0 &&
           at_root_attribute_at(work->ask->root, sort->attribute)->kind == AT_ATTRIBUTE_TEXT;
}

static void fill_by_sort(const struct rank_work *work, double *values) {
    bool is_text = sorts_by_text(work);
    for (uint32_t i = 0; i < work->count; i++) values[i] = is_text ? 0 : sort_value(work, work->rows[i]);
}

/* All plain, so that they can be changed one by one. False: out of memory. */
static bool own_tiers(struct rank_work *work) {
    if (work->tiers) return true;
    work->tiers = at_arena_alloc(work->ask->arena, work->count + 1);
    if (work->tiers) memset(work->tiers, RANK_TIER_PLAIN, work->count);
    return work->tiers != NULL;
}

AT_KERNEL static uint32_t count_odd(const double *values, uint32_t count) {
    uint32_t odd = 0;
    for (uint32_t i = 0; i < count; i++) odd += !(fabs(values[i]) < INFINITY);
    return odd;
}

/* A score that is no number sinks to the last tier; there, and without scores, the catalog's order decides.
 */
static bool replace_odd(struct rank_work *work, double *values) {
    if (work->is_scored && !own_tiers(work)) return false;
    for (uint32_t i = 0; i < work->count; i++) {
        values[i] = work->scores[i];
        if (work->is_scored && isfinite(values[i])) continue;
        values[i] = -(double)work->rows[i];
        if (!work->is_scored) continue;
        work->tiers[i] = RANK_TIER_BAD;
        work->result->bad_scores++;
    }
    return true;
}

static enum at_status fill_values(struct rank_work *work) {
    const struct at_rank_ask *ask = work->ask;
    work->values = work->scores;
    if (!ask->sort && !count_odd(work->scores, work->count)) return AT_OK;
    double *values = at_arena_alloc(ask->arena, (work->count + 1) * sizeof *values);
    if (!values) return AT_NOMEM;
    work->values = values;
    if (!ask->sort) return replace_odd(work, values) ? AT_OK : AT_NOMEM;
    fill_by_sort(work, values);
    return AT_OK;
}

static enum at_status apply_first(struct rank_work *work, double *answers) {
    const struct at_rank_ask *ask = work->ask;
    struct at_candidates candidates = {ask->root, work->rows, work->count, ask->arena};
    struct at_error err = {0};
    enum at_status status = ask->first->judge(ask->first->arg, &candidates, answers, &err);
    if (status == AT_NOMEM) return status;
    if (status != AT_OK) {
        if (!work->result->has_score_failed) work->result->error = err;
        work->result->has_score_failed = true;
        return AT_OK;
    }
    for (uint32_t i = 0; i < work->count; i++)
        if (answers[i] > 0 && work->tiers[i] == RANK_TIER_PLAIN) work->tiers[i] = RANK_TIER_FIRST;
    return AT_OK;
}

static enum at_status apply_bury(struct rank_work *work, const struct at_rail_use *use, uint8_t *verdict) {
    struct at_candidates candidates = {work->ask->root, work->rows, work->count, work->ask->arena};
    struct at_error err = {0};
    uint32_t failed;
    enum at_status status = at_rail_judge(use->rail, &use->judge, &candidates, verdict, &failed, &err);
    if (status == AT_NOMEM) return status;
    work->result->rail_failures += failed;
    if (failed) note_failure(work->result, use->rail, &err);
    for (uint32_t i = 0; i < work->count; i++) {
        if (!verdict[i] || work->tiers[i] >= RANK_TIER_BURIED) continue;
        work->tiers[i] = RANK_TIER_BURIED;
        work->buried_by[i] = use->rail->name;
    }
    return AT_OK;
}

static bool buries(const struct at_rank_ask *ask) {
    for (uint32_t i = 0; i < ask->rail_count; i++)
        if (ask->rails[i].rail->kind == AT_RAIL_BURY) return true;
    return false;
}

static enum at_status apply_tiers(struct rank_work *work) {
    const struct at_rank_ask *ask = work->ask;
    if (!work->count || (!ask->first && !buries(ask))) return AT_OK;
    double *answers = at_arena_alloc(ask->arena, work->count * sizeof *answers);
    if (!answers || !own_tiers(work)) return AT_NOMEM;
    enum at_status status = ask->first ? apply_first(work, answers) : AT_OK;
    for (uint32_t i = 0; i < ask->rail_count && status == AT_OK; i++) {
        if (ask->rails[i].rail->kind != AT_RAIL_BURY) continue;
        if (!work->buried_by)
            work->buried_by = at_arena_zalloc(ask->arena, work->count * sizeof *work->buried_by);
        status = work->buried_by ? apply_bury(work, &ask->rails[i], (uint8_t *)answers) : AT_NOMEM;
    }
    return status;
}

/* ---- order ---- */

static int compare_ids(const struct rank_work *work, uint32_t a, uint32_t b) {
    return at_text_order(at_root_id(work->ask->root, work->rows[a]),
                         at_root_id(work->ask->root, work->rows[b]));
}

static int compare_texts(const struct rank_work *work, uint32_t a, uint32_t b) {
    const struct at_root *root = work->ask->root;
    int attribute = work->ask->sort->attribute;
    uint32_t x = at_root_code(root, attribute, work->rows[a]),
             y = at_root_code(root, attribute, work->rows[b]);
    if (x == y) return 0;
    if (!x || !y) return x ? -1 : 1; /* missing goes last either way */
    struct at_text left = at_root_text_of(root, attribute, x), right = at_root_text_of(root, attribute, y);
    int order = memcmp(left.data, right.data, left.length < right.length ? left.length : right.length);
    if (!order) order = left.length < right.length ? -1 : 1;
    return work->ask->sort->is_descending ? -order : order;
}

/* Equal in tier and value: by the sort's text, then by id. Out of line, for it is rare. */
static __attribute__((noinline)) bool tie_stands_before(const struct rank_work *work,
                                                        const struct rank_key *a, const struct rank_key *b) {
    int order = sorts_by_text(work) ? compare_texts(work, a->index, b->index) : 0;
    return (order ? order : compare_ids(work, a->index, b->index)) < 0;
}

static inline bool stands_before(const struct rank_work *work, const struct rank_key *a,
                                 const struct rank_key *b) {
    if (a->tier != b->tier) return a->tier < b->tier;
    if (a->value != b->value) return a->value > b->value;
    return tie_stands_before(work, a, b);
}

static inline struct rank_key key_of(const struct rank_work *work, uint32_t index) {
    return (struct rank_key){work->values[index], index, rank_tier(work, index)};
}

static inline void swap_keys(struct rank_key *a, struct rank_key *b) {
    struct rank_key swap = *a;
    *a = *b;
    *b = swap;
}

static void sift_down(const struct rank_work *work, struct rank_key *heap, uint32_t count, uint32_t at) {
    for (;;) {
        uint32_t worst = at, left = 2 * at + 1;
        if (left < count && stands_before(work, &heap[worst], &heap[left])) worst = left;
        if (left + 1 < count && stands_before(work, &heap[worst], &heap[left + 1])) worst = left + 1;
        if (worst == at) return;
        swap_keys(&heap[at], &heap[worst]);
        at = worst;
    }
}

/* A heap of the best with the worst of them on top, then sorted out of it. */
static void order_by_heap(const struct rank_work *work, struct rank_key *keys, uint32_t wanted) {
    for (uint32_t i = 0; i < wanted; i++) keys[i] = key_of(work, i);
    for (uint32_t i = wanted / 2; i-- > 0;) sift_down(work, keys, wanted, i);
    for (uint32_t i = wanted; i < work->count; i++) {
        struct rank_key key = key_of(work, i);
        if (!stands_before(work, &key, &keys[0])) continue;
        keys[0] = key;
        sift_down(work, keys, wanted, 0);
    }
    for (uint32_t end = wanted; end-- > 1;) {
        swap_keys(&keys[0], &keys[end]);
        sift_down(work, keys, end, 0);
    }
}

/* Puts key in its place among the `count` ordered ones; there is room for one more. */
static inline void insert_key(const struct rank_work *work, struct rank_key *keys, uint32_t count,
                              struct rank_key key) {
    uint32_t at = count;
    for (; at && stands_before(work, &key, &keys[at - 1]); at--) keys[at] = keys[at - 1];
    keys[at] = key;
}

/* For a page: most values are seen off by one look at the worst that is kept, few are moved. */
static void order_by_insertion(const struct rank_work *work, struct rank_key *keys, uint32_t wanted) {
    for (uint32_t i = 0; i < wanted; i++) insert_key(work, keys, i, key_of(work, i));
    struct rank_key worst = keys[wanted - 1];
    for (uint32_t i = wanted; i < work->count; i++) {
        struct rank_key key = key_of(work, i);
        if (key.tier == worst.tier && key.value < worst.value) continue; /* nearly all */
        if (!stands_before(work, &key, &worst)) continue;
        insert_key(work, keys, wanted - 1, key);
        worst = keys[wanted - 1];
    }
}

/* ---- a page of what has one tier ---- */

#define MOVED 4 /* places that move together; what they move beyond the end is room */

/* The best so far, in order; behind them NaN, which reaches nothing. */
struct page {
    double values[PAGE_MAX + 8];
    uint32_t indexes[PAGE_MAX + 8];
    uint32_t wanted;
};

/* From `at` on, past strides in which no value is as much as `least`. */
AT_KERNEL static uint32_t skip_below(const double *values, uint32_t at, uint32_t count, double least) {
    for (; at + STRIDE <= count; at += STRIDE) {
        const double *stride = values + at;
        int64_t reaching = 0;
        for (uint32_t i = 0; i < STRIDE; i++) reaching += stride[i] >= least;
        if (reaching) break;
    }
    return at;
}

/* How many are as much as `least`, of so many eights: a place found without a guess how far it is. */
AT_KERNEL static int64_t count_reaching(const double *values, uint32_t eights, double least) {
    int64_t reaching = 0;
    for (; eights; eights--, values += 8)
        for (uint32_t i = 0; i < 8; i++) reaching += values[i] >= least;
    return reaching;
}

/* The place among equals: by the sort's text, then by id. */
static __attribute__((noinline)) uint32_t place_among_equals(const struct rank_work *work,
                                                             const struct page *page, uint32_t index,
                                                             uint32_t at) {
    struct rank_key key = key_of(work, index);
    for (; at && page->values[at - 1] == key.value; at--) {
        struct rank_key other = key_of(work, page->indexes[at - 1]);
        if (!tie_stands_before(work, &key, &other)) break;
    }
    return at;
}

typedef double moved_values __attribute__((vector_size(MOVED * sizeof(double))));
typedef uint32_t moved_indexes __attribute__((vector_size(MOVED * sizeof(uint32_t))));

/* From `at` on one place further, the last first. */
static inline void make_place(struct page *page, uint32_t count, uint32_t at) {
    for (uint32_t from = at + (count - at + MOVED - 1) / MOVED * MOVED; from > at;) {
        moved_values values;
        moved_indexes indexes;
        from -= MOVED;
        memcpy(&values, page->values + from, sizeof values);
        memcpy(&indexes, page->indexes + from, sizeof indexes);
        memcpy(page->values + from + 1, &values, sizeof values);
        memcpy(page->indexes + from + 1, &indexes, sizeof indexes);
    }
}

/* Of `count` there are; how many there are then. */
static inline uint32_t insert_in_page(const struct rank_work *work, struct page *page, uint32_t count,
                                      uint32_t index) {
    double value = work->values[index];
    uint32_t at = (uint32_t)count_reaching(page->values, (count + 7) / 8, value);
    if (at && page->values[at - 1] == value) at = place_among_equals(work, page, index, at);
    if (at == page->wanted) return count;
    make_place(page, count, at);
    page->values[at] = value;
    page->indexes[at] = index;
    page->values[page->wanted] = NAN; /* who was last is no more */
    return count < page->wanted ? count + 1 : count;
}

static void order_page(const struct rank_work *work, struct rank_key *keys, uint32_t wanted) {
    struct page page;
    uint32_t i = 0;
    page.wanted = wanted;
    for (; i < wanted + 8; i++) page.values[i] = NAN, page.indexes[i] = 0;
    for (i = 0; i < wanted;) i = insert_in_page(work, &page, i, i);
    while (i < work->count) {
        i = skip_below(work->values, i, work->count, page.values[wanted - 1]);
        uint32_t end = work->count - i < STRIDE ? work->count : i + STRIDE;
        for (; i < end; i++)
            if (work->values[i] >= page.values[wanted - 1]) insert_in_page(work, &page, wanted, i);
    }
    for (i = 0; i < wanted; i++) keys[i] = key_of(work, page.indexes[i]);
}

/* The best `wanted` keys, in order, in keys[0 … wanted). */
static void order_prefix(struct rank_work *work, uint32_t wanted) {
    if (wanted > work->count) wanted = work->count;
    if (wanted && wanted <= PAGE_MAX && !work->tiers)
        order_page(work, work->keys, wanted);
    else if (wanted && wanted <= PAGE_MAX)
        order_by_insertion(work, work->keys, wanted);
    else if (wanted)
        order_by_heap(work, work->keys, wanted);
    work->ordered = wanted;
}

/* ---- the whole ---- */

static enum at_status begin(struct rank_work *work) {
    const struct at_rank_ask *ask = work->ask;
    size_t n = ask->candidate_count + 1;
    work->rows = at_arena_alloc(ask->arena, n * sizeof *work->rows);
    work->scores = at_arena_alloc(ask->arena, n * sizeof *work->scores);
    work->keys = at_arena_alloc(ask->arena, n * sizeof *work->keys);
    if (!work->rows || !work->scores || !work->keys) return AT_NOMEM;
    if (ask->wants_explanation) {
        work->result->withheld = at_arena_alloc(ask->arena, n * sizeof *work->result->withheld);
        if (!work->result->withheld) return AT_NOMEM;
    }
    if (ask->candidate_count) memcpy(work->rows, ask->candidates, ask->candidate_count * sizeof *work->rows);
    work->count = ask->candidate_count;
    return AT_OK;
}

static uint32_t prefix_wanted(const struct at_rank_ask *ask, uint32_t count) {
    uint64_t wanted = (uint64_t)ask->offset + ask->limit;
    if (ask->wants_explanation) return count;
    if (!ask->sort && ask->diversify.at_most && ask->diversify.attribute >= 0) wanted = wanted * 4 + 64;
    if (!ask->sort && ask->explore_share > 0)
        wanted += wanted; /* what exploration brings up is skipped further down */
    if (!ask->sort) wanted += ask->rail_count ? at_rank_pin_count(ask) : 0;
    return wanted < count ? (uint32_t)wanted : count;
}

enum at_status at_rank(const struct at_rank_ask *ask, struct at_rank_result *result) {
    *result = (struct at_rank_result){0};
    struct rank_work work = {.ask = ask, .result = result};
    enum at_status status = begin(&work);
    if (status == AT_OK) status = apply_hiding(&work);
    if (status != AT_OK) return status;
    result->total = work.count;
    status = fill_scores(&work);
    if (status != AT_OK) return status;
    status = fill_values(&work);
    if (status == AT_OK && !ask->sort) status = apply_tiers(&work);
    if (status != AT_OK) return status;
    order_prefix(&work, prefix_wanted(ask, work.count));
    return at_rank_arrange(&work);
}

void at_rank_order_all(struct rank_work *work) {
    order_prefix(work, work->count);
}
