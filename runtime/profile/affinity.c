/* SPDX-License-Identifier: Apache-2.0
 *
 * A person's tastes against everyone's: the formulas of affinity.h.
 */
#include "profile/affinity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/map.h"
#include "profile/draft.h"
#include "profile/names.h"

#define PRIOR      10.0 /* m: how many typical events stand against a person's own */
#define CONFIDENCE 3.0
#define CROWD_MAX  100000 /* facet values kept; beyond, the weakest half goes */

/* ---- everyone's shares ---- */

struct at_baseline {
    _Atomic uint32_t refs;
    struct at_intmap shares; /* hash of facet and value → bits of the share */
};

static uint64_t key_of(struct at_text facet, struct at_text value) {
    uint64_t key = at_hash64_seed(value.data, value.length, at_hash64(facet.data, facet.length));
    return key ? key : 1;
}

struct at_baseline *at_baseline_ref(struct at_baseline *baseline) {
    atomic_fetch_add(&baseline->refs, 1);
    return baseline;
}

void at_baseline_unref(struct at_baseline *baseline) {
    if (!baseline || atomic_fetch_sub(&baseline->refs, 1) != 1) return;
    at_intmap_clear(&baseline->shares);
    free(baseline);
}

double at_baseline_share(const struct at_baseline *baseline, struct at_text facet, struct at_text value) {
    uint64_t *bits = baseline ? at_intmap_get(&baseline->shares, key_of(facet, value)) : NULL;
    double share = 0;
    if (bits) memcpy(&share, bits, sizeof share);
    return share;
}

/* ---- the learner ---- */

struct entry {
    char *facet, *value;
    double weight; /* as of the landmark */
};
struct at_crowd {
    struct at_map index; /* facet NUL value → place */
    struct entry *entries;
    size_t count, capacity;
    int64_t landmark_ms;
    bool has_landmark;
};

struct at_crowd *at_crowd_new(void) {
    struct at_crowd *crowd = calloc(1, sizeof *crowd);
    if (crowd) at_map_init(&crowd->index);
    return crowd;
}

static void clear(struct at_crowd *crowd) {
    for (size_t i = 0; i < crowd->count; i++) {
        free(crowd->entries[i].facet);
        free(crowd->entries[i].value);
    }
    free(crowd->entries);
    at_map_clear(&crowd->index);
    crowd->entries = NULL;
    crowd->count = crowd->capacity = 0;
}

void at_crowd_free(struct at_crowd *crowd) {
    if (!crowd) return;
    clear(crowd);
    free(crowd);
}

static char *copy(struct at_text text) {
    char *out = malloc(text.length + 1);
    if (!out) return NULL;
    memcpy(out, text.data, text.length);
    out[text.length] = 0;
    return out;
}

static bool put(struct at_crowd *crowd, struct at_text facet, struct at_text value, double weight) {
    char key[512];
    if (!value.length || facet.length + value.length + 1 > sizeof key) return true;
    memcpy(key, facet.data, facet.length);
    key[facet.length] = 0;
    memcpy(key + facet.length + 1, value.data, value.length);
    size_t length = facet.length + 1 + value.length;
    uint64_t *place = at_map_get(&crowd->index, key, length);
    if (place) {
        crowd->entries[*place].weight += weight;
        return true;
    }
    if (crowd->count == crowd->capacity) {
        size_t capacity = crowd->capacity ? crowd->capacity * 2 : 256;
        struct entry *entries = realloc(crowd->entries, capacity * sizeof *entries);
        if (!entries) return false;
        crowd->entries = entries;
        crowd->capacity = capacity;
    }
    struct entry entry = {copy(facet), copy(value), weight};
    place = entry.facet && entry.value ? at_map_put(&crowd->index, key, length, NULL) : NULL;
    if (!place) {
        free(entry.facet);
        free(entry.value);
        return false;
    }
    *place = crowd->count;
    crowd->entries[crowd->count++] = entry;
    return true;
}

static int by_weight(const void *a, const void *b) {
    double x = ((const struct entry *)a)->weight, y = ((const struct entry *)b)->weight;
    return x > y ? -1 : x < y;
}

/* Shops do not have that many brands and colours: what is this rare tells nothing. */
static void prune(struct at_crowd *crowd) {
    if (crowd->count < CROWD_MAX) return;
    struct at_crowd kept = {.landmark_ms = crowd->landmark_ms, .has_landmark = true};
    at_map_init(&kept.index);
    qsort(crowd->entries, crowd->count, sizeof *crowd->entries, by_weight);
    for (size_t i = 0; i < crowd->count / 2; i++)
        if (!put(&kept, at_text_of(crowd->entries[i].facet), at_text_of(crowd->entries[i].value),
                 crowd->entries[i].weight))
            break;
    clear(crowd);
    *crowd = kept;
}

static void move_landmark(struct at_crowd *crowd, int64_t to_ms) {
    double scale = exp2((double)(crowd->landmark_ms - to_ms) / AT_AFFINITY_HALF_MS);
    for (size_t i = 0; i < crowd->count; i++) crowd->entries[i].weight *= scale;
    crowd->landmark_ms = to_ms;
}

static bool learn_facets(struct at_crowd *crowd, struct at_json facets, double weight) {
    struct at_json_each it = at_json_each(facets);
    while (at_json_next(&it)) {
        if (at_json_is_string(it.value) && !put(crowd, it.key, at_json_text(it.value), weight)) return false;
        struct at_json_each values = at_json_each(it.value);
        while (at_json_is_array(it.value) && at_json_next(&values))
            if (at_json_is_string(values.value) && !put(crowd, it.key, at_json_text(values.value), weight))
                return false;
    }
    return true;
}

enum at_status at_crowd_learn(struct at_crowd *crowd, const struct at_logged_event *event) {
    double interest = interest_of(event->name);
    bool is_won = true;
    if (!interest) return AT_OK;
    at_json_bool(at_json_get(event->facts, "claim"), &is_won);
    if (at_text_is(event->name, "order_completed") && !is_won) return AT_OK;
    if (!crowd->has_landmark) {
        crowd->landmark_ms = event->at_ms;
        crowd->has_landmark = true;
    }
    if (event->at_ms - crowd->landmark_ms > 300LL * AT_AFFINITY_HALF_MS) move_landmark(crowd, event->at_ms);
    double weight = interest * exp2((double)(event->at_ms - crowd->landmark_ms) / AT_AFFINITY_HALF_MS);
    prune(crowd);
    struct at_json_each it = at_json_each(at_json_get(event->facts, "items"));
    while (at_json_next(&it))
        if (!learn_facets(crowd, at_json_get(it.value, "facets"), weight)) return AT_NOMEM;
    return AT_OK;
}

struct at_baseline *at_crowd_baseline(const struct at_crowd *crowd, int64_t now_ms) {
    (void)now_ms; /* shares do not change by time alone: all weights decay alike */
    struct at_baseline *baseline = calloc(1, sizeof *baseline);
    struct at_map totals;
    bool is_ok = baseline != NULL;
    at_map_init(&totals);
    if (baseline) {
        atomic_init(&baseline->refs, 1);
        at_intmap_init(&baseline->shares);
    }
    for (size_t i = 0; is_ok && i < crowd->count; i++) {
        uint64_t *bits = at_map_put(&totals, crowd->entries[i].facet, strlen(crowd->entries[i].facet), NULL);
        double total;
        if (!bits)
            is_ok = false;
        else {
            memcpy(&total, bits, sizeof total); /* new: the bits of 0 are 0.0 */
            total += crowd->entries[i].weight;
            memcpy(bits, &total, sizeof total);
        }
    }
    for (size_t i = 0; is_ok && i < crowd->count; i++) {
        const struct entry *entry = &crowd->entries[i];
        double total;
        memcpy(&total, at_map_get(&totals, entry->facet, strlen(entry->facet)), sizeof total);
        uint64_t *bits = at_intmap_put(&baseline->shares,
                                       key_of(at_text_of(entry->facet), at_text_of(entry->value)), NULL);
        double share = total > 0 ? entry->weight / total : 0;
        if (bits)
            memcpy(bits, &share, sizeof share);
        else
            is_ok = false;
    }
    at_map_clear(&totals);
    if (is_ok) return baseline;
    at_baseline_unref(baseline);
    return NULL;
}

void at_crowd_write(const struct at_crowd *crowd, struct at_bytes *bytes) {
    struct at_json_out out = at_json_out(bytes);
    at_json_open(&out, '{');
    at_json_add_int(&out, "as_of", crowd->landmark_ms);
    at_json_key(&out, "weights");
    at_json_open(&out, '[');
    for (size_t i = 0; i < crowd->count; i++) {
        at_json_open(&out, '[');
        at_json_put_string(&out, crowd->entries[i].facet);
        at_json_put_string(&out, crowd->entries[i].value);
        at_json_put_number(&out, crowd->entries[i].weight);
        at_json_close(&out, ']');
    }
    at_json_close(&out, ']');
    at_json_close(&out, '}');
}

enum at_status at_crowd_read(struct at_crowd *crowd, struct at_json json) {
    clear(crowd);
    crowd->has_landmark = at_json_int(at_json_get(json, "as_of"), &crowd->landmark_ms);
    struct at_json_each it = at_json_each(at_json_get(json, "weights"));
    while (at_json_next(&it)) {
        struct at_json_each parts = at_json_each(it.value);
        struct at_text facet = {NULL, 0}, value = {NULL, 0};
        double weight = 0;
        if (at_json_next(&parts)) facet = at_json_text(parts.value);
        if (at_json_next(&parts)) value = at_json_text(parts.value);
        if (at_json_next(&parts)) at_json_number(parts.value, &weight);
        if (facet.data && value.data && !put(crowd, facet, value, weight)) return AT_NOMEM;
    }
    if (!crowd->count) crowd->has_landmark = false;
    return AT_OK;
}

/* ---- one person ---- */

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

static void weigh_facet(const struct at_profile *profile, const struct at_baseline *baseline,
                        const struct weighed *list, struct at_facet_taste *facet, struct at_tastes *out) {
    double sum = 0, gain = 0;
    for (uint32_t i = facet->first; i < facet->first + facet->count; i++) sum += list[i].weight;
    for (uint32_t i = facet->first; i < facet->first + facet->count && sum > 0; i++) {
        const struct at_taste *taste = &profile->tastes[list[i].at];
        double q = at_baseline_share(baseline, taste->facet, taste->value);
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
        weigh_facet(profile, baseline, list, &out->facets[f], out);
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
