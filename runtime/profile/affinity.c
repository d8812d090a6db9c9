/* SPDX-License-Identifier: Apache-2.0
 *
 * A person's tastes against everyone's: the formulas of affinity.h.
 */
#include "profile/affinity.h"

#include <string.h>
#include "profile/draft.h"

#define PRIOR      10.0 /* m: how many typical events stand against a person's own */
#define CONFIDENCE 3.0
#define OTHERS     1.0  /* what stands for the others while there are hardly any, */
#define UNSEEN     10.0 /* spread over the person's values and so many more */

struct weighed {
    uint32_t at; /* in profile->tastes */
    double weight;
};

/* Strongest first within a facet; ties as they came. Facets stand together in a profile. */
static void sort_facet(struct weighed *list, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        struct weighed one = list[i];
        uint32_t at = i;
        for (; at && list[at - 1].weight < one.weight; at--) list[at] = list[at - 1];
        list[at] = one;
    }
}

/* The others' share of a value: everyone's without the person's own part, of which the baseline may not know
 * the latest yet. */
static double share_of_others(double share, double total, double own, double own_sum, uint32_t value_count) {
    double theirs = share * total - own, all = total - own_sum;
    double even = OTHERS / (value_count + UNSEEN);
    return ((theirs > 0 ? theirs : 0) + even) / ((all > 0 ? all : 0) + OTHERS);
}

struct crowd_now { /* everyone, at the moment that is asked for */
    const struct at_baseline *baseline;
    int64_t now_ms;
};

static void weigh_facet(const struct at_profile *profile, struct crowd_now crowd, const struct weighed *list,
                        struct at_facet_taste *facet, struct at_tastes *out) {
    double sum = 0, gain = 0, total = at_baseline_total(crowd.baseline, facet->facet, crowd.now_ms);
    for (uint32_t i = facet->first; i < facet->first + facet->count; i++) sum += list[i].weight;
    for (uint32_t i = facet->first; i < facet->first + facet->count && sum > 0; i++) {
        const struct at_taste *taste = &profile->tastes[list[i].at];
        double q = share_of_others(at_baseline_share(crowd.baseline, taste->facet, taste->value), total,
                                   list[i].weight, sum, facet->count);
        double p = (list[i].weight + PRIOR * q) / (sum + PRIOR);
        double lift = p + q > 0 ? (p - q) / (p + q) : 0;
        out->affinity[i] = (lift > 0 ? lift : 0) * sum / (sum + CONFIDENCE);
        gain += list[i].weight / sum * out->affinity[i];
    }
    facet->gain = gain;
}

enum at_status at_tastes_compute(const struct at_profile *profile, const struct at_baseline *baseline,
                                 int64_t now_ms, struct at_arena *arena, struct at_tastes *out) {
    uint32_t count = profile->taste_count;
    memset(out, 0, sizeof *out);
    struct weighed *list = at_arena_alloc(arena, (count + 1) * sizeof *list);
    out->order = at_arena_alloc(arena, (count + 1) * sizeof *out->order);
    out->affinity = at_arena_zalloc(arena, (count + 1) * sizeof *out->affinity);
    out->facets = at_arena_alloc(arena, (count + 1) * sizeof *out->facets);
    if (!list || !out->order || !out->affinity || !out->facets) return AT_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        const struct at_taste *taste = &profile->tastes[i];
        list[i] = (struct weighed){i, taste->weight * decay(now_ms - taste->at_ms, AT_AFFINITY_HALF_MS)};
    }
    for (uint32_t i = 0; i < count; i++) {
        struct at_text facet = profile->tastes[i].facet;
        if (!out->facet_count || !at_text_equal(out->facets[out->facet_count - 1].facet, facet))
            out->facets[out->facet_count++] = (struct at_facet_taste){facet, 0, i, 0};
        out->facets[out->facet_count - 1].count++;
    }
    for (uint32_t f = 0; f < out->facet_count; f++)
        sort_facet(list + out->facets[f].first, out->facets[f].count);
    for (uint32_t i = 0; i < count; i++) out->order[i] = list[i].at;
    for (uint32_t f = 0; f < out->facet_count; f++)
        weigh_facet(profile, (struct crowd_now){baseline, now_ms}, list, &out->facets[f], out);
    return AT_OK;
}

double at_tastes_of(const struct at_tastes *tastes, const struct at_profile *profile, struct at_text facet,
                    struct at_text value) {
    for (uint32_t f = 0; f < tastes->facet_count; f++) {
        const struct at_facet_taste *one = &tastes->facets[f];
        if (!at_text_equal(one->facet, facet)) continue;
        for (uint32_t i = one->first; i < one->first + one->count; i++)
            if (at_text_equal(profile->tastes[tastes->order[i]].value, value)) return tastes->affinity[i];
    }
    return 0;
}
