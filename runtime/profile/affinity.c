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

/* Strongest first within a facet; ties as they came. Facets stand together in a profile. */
static void sort_facet(struct at_taste_value *list, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        struct at_taste_value one = list[i];
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

static void weigh_facet(struct crowd_now crowd, struct at_facet_taste *facet, struct at_taste_value *values) {
    double sum = 0, gain = 0, total = at_baseline_total(crowd.baseline, facet->facet, crowd.now_ms);
    for (uint32_t i = 0; i < facet->count; i++) sum += values[i].weight;
    for (uint32_t i = 0; i < facet->count && sum > 0; i++) {
        struct at_taste_value *one = &values[i];
        double q = share_of_others(at_baseline_share(crowd.baseline, facet->facet, one->value), total,
                                   one->weight, sum, facet->count);
        double p = (one->weight + PRIOR * q) / (sum + PRIOR);
        double lift = p + q > 0 ? (p - q) / (p + q) : 0;
        one->affinity = (lift > 0 ? lift : 0) * sum / (sum + CONFIDENCE);
        gain += one->weight / sum * one->affinity;
    }
    facet->gain = gain;
}

enum at_status at_tastes_compute(const struct at_profile *profile, const struct at_baseline *baseline,
                                 int64_t now_ms, struct at_arena *arena, struct at_tastes *out) {
    uint32_t count = profile->taste_count;
    memset(out, 0, sizeof *out);
    out->values = at_arena_alloc(arena, (count + 1) * sizeof *out->values);
    out->facets = at_arena_alloc(arena, (count + 1) * sizeof *out->facets);
    if (!out->values || !out->facets) return AT_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        const struct at_taste *taste = &profile->tastes[i];
        out->values[i] = (struct at_taste_value){.value = taste->value,
                                                 .weight = taste->weight *
                                                           decay(now_ms - taste->at_ms, AT_AFFINITY_HALF_MS)};
        if (!out->facet_count || !at_text_equal(out->facets[out->facet_count - 1].facet, taste->facet))
            out->facets[out->facet_count++] = (struct at_facet_taste){.facet = taste->facet, .first = i};
        out->facets[out->facet_count - 1].count++;
    }
    for (uint32_t f = 0; f < out->facet_count; f++) {
        struct at_facet_taste *facet = &out->facets[f];
        sort_facet(out->values + facet->first, facet->count);
        weigh_facet((struct crowd_now){baseline, now_ms}, facet, out->values + facet->first);
    }
    return profile->stated_count ? at_tastes_blend(profile, now_ms, arena, out) : AT_OK;
}

double at_tastes_of(const struct at_tastes *tastes, struct at_text facet, struct at_text value) {
    for (uint32_t f = 0; f < tastes->facet_count; f++) {
        const struct at_facet_taste *one = &tastes->facets[f];
        if (!at_text_equal(one->facet, facet)) continue;
        for (uint32_t i = one->first; i < one->first + one->count; i++)
            if (at_text_equal(tastes->values[i].value, value)) return tastes->values[i].affinity;
    }
    return 0;
}
