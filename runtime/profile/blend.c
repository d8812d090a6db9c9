/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person said of their taste put to what was inferred: the second half of the formulas of affinity.h.
 * Only who said something comes here.
 */
#include <string.h>
#include "profile/affinity.h"
#include "profile/stated.h"

struct blending {
    const struct at_profile *profile;
    int64_t now_ms;
    struct at_taste_value *values; /* of all facets so far */
    uint32_t count;
};

/* ---- the values of one facet ---- */

static struct at_taste_value *value_of(struct blending *blending, uint32_t first, struct at_text value) {
    for (uint32_t i = first; i < blending->count; i++)
        if (at_text_equal(blending->values[i].value, value)) return &blending->values[i];
    blending->values[blending->count] = (struct at_taste_value){.value = value};
    return &blending->values[blending->count++];
}

static void add_stated(struct blending *blending, const struct at_facet_taste *facet) {
    for (uint32_t i = 0; i < blending->profile->stated_count; i++) {
        const struct at_stated_taste *stated = &blending->profile->stated[i];
        if (!at_text_equal(stated->facet, facet->facet)) continue;
        struct at_taste_value *one = value_of(blending, facet->first, stated->value);
        if (one->said) continue;
        stated = at_stated_of(blending->profile, stated->facet, stated->value);
        one->said = stated->is_like ? AT_LIKED : AT_DISLIKED;
        one->strength = at_stated_strength(stated, blending->now_ms);
        one->affinity *= 1 - one->strength;
        if (stated->is_like) one->affinity += one->strength;
    }
}

static double rank_of(const struct at_taste_value *one, double most) {
    if (one->said == AT_DISLIKED) return -1;
    return one->strength * most + (1 - one->strength) * one->weight;
}

/* Of two alike what was said, then what was inferred; then as they came. */
static bool is_before(const struct at_taste_value *a, const struct at_taste_value *b, double most) {
    double x = rank_of(a, most), y = rank_of(b, most);
    if (x != y) return x > y;
    return a->strength != b->strength ? a->strength > b->strength : a->weight > b->weight;
}

static void sort_facet(struct at_taste_value *list, uint32_t count, double most) {
    for (uint32_t i = 1; i < count; i++) {
        struct at_taste_value one = list[i];
        uint32_t at = i;
        for (; at && is_before(&one, &list[at - 1], most); at--) list[at] = list[at - 1];
        list[at] = one;
    }
}

static double gain_of(const struct at_taste_value *values, uint32_t count) {
    double sum = 0, inferred = 0, strongest = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += values[i].weight;
        inferred += values[i].weight * values[i].affinity;
        if (values[i].said == AT_LIKED && values[i].strength > strongest) strongest = values[i].strength;
    }
    return strongest + (1 - strongest) * (sum > 0 ? inferred / sum : 0);
}

/* The facet with its values from among those that were inferred, now in the blending's own list. */
static void blend_facet(struct blending *blending, struct at_facet_taste *facet,
                        const struct at_taste_value *inferred) {
    double most = facet->count ? inferred[0].weight : 0; /* the strongest comes first */
    uint32_t first = blending->count;
    memcpy(blending->values + first, inferred, facet->count * sizeof *inferred);
    blending->count += facet->count;
    facet->first = first;
    add_stated(blending, facet);
    facet->count = blending->count - first;
    bool is_said = false;
    for (uint32_t i = first; i < blending->count; i++) {
        is_said |= blending->values[i].said != AT_UNSAID;
        facet->disliked += blending->values[i].said == AT_DISLIKED;
    }
    if (!is_said) return;
    sort_facet(blending->values + first, facet->count, most > 0 ? most : 1);
    facet->gain = gain_of(blending->values + first, facet->count);
}

/* ---- all facets ---- */

static bool has_facet(const struct at_facet_taste *facets, uint32_t count, struct at_text facet) {
    for (uint32_t i = 0; i < count; i++)
        if (at_text_equal(facets[i].facet, facet)) return true;
    return false;
}

enum at_status at_tastes_blend(const struct at_profile *profile, int64_t now_ms, struct at_arena *arena,
                               struct at_tastes *tastes) {
    size_t value_count = profile->taste_count + profile->stated_count,
           facet_count = tastes->facet_count + profile->stated_count;
    struct blending blending = {profile, now_ms, NULL, 0};
    blending.values = at_arena_alloc(arena, value_count * sizeof *blending.values);
    struct at_facet_taste *facets = at_arena_alloc(arena, facet_count * sizeof *facets);
    if (!blending.values || !facets) return AT_NOMEM;
    memcpy(facets, tastes->facets, tastes->facet_count * sizeof *facets);
    uint32_t count = tastes->facet_count;
    for (uint32_t i = 0; i < profile->stated_count; i++)
        if (!has_facet(facets, count, profile->stated[i].facet))
            facets[count++] = (struct at_facet_taste){.facet = profile->stated[i].facet};
    for (uint32_t f = 0; f < count; f++) blend_facet(&blending, &facets[f], tastes->values + facets[f].first);
    *tastes = (struct at_tastes){facets, count, blending.values};
    return AT_OK;
}
