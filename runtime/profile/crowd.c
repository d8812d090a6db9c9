/* SPDX-License-Identifier: Apache-2.0
 *
 * Everyone's tastes: decayed totals of all events, and the shares made of them.
 */
#include "profile/affinity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/map.h"
#include "profile/draft.h"
#include "profile/names.h"

#define FAR_OFF   300.0  /* half lives */
#define CROWD_MAX 100000 /* facet values kept; beyond, the weakest half goes */

/* ---- everyone's shares ---- */

struct at_baseline {
    _Atomic uint32_t refs;
    struct at_intmap shares; /* hash of facet and value → bits of the share */
    struct at_intmap totals; /* hash of facet → bits of the sum, as of the landmark */
    int64_t landmark_ms;
    uint32_t shop_days;
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
    at_intmap_clear(&baseline->totals);
    free(baseline);
}

static double number_at(const struct at_intmap *map, uint64_t key) {
    const uint64_t *bits = at_intmap_get(map, key);
    double number = 0;
    if (bits) memcpy(&number, bits, sizeof number);
    return number;
}

static bool add_number(struct at_intmap *map, uint64_t key, double number) {
    uint64_t *bits = at_intmap_put(map, key, NULL); /* new: the bits of 0 are 0.0 */
    double sum;
    if (!bits) return false;
    memcpy(&sum, bits, sizeof sum);
    sum += number;
    memcpy(bits, &sum, sizeof sum);
    return true;
}

double at_baseline_share(const struct at_baseline *baseline, struct at_text facet, struct at_text value) {
    return baseline ? number_at(&baseline->shares, key_of(facet, value)) : 0;
}

uint32_t at_baseline_shop_days(const struct at_baseline *baseline) {
    return baseline ? baseline->shop_days : 0;
}

static uint64_t facet_key(struct at_text facet) {
    return key_of(facet, AT_TEXT(""));
}

double at_baseline_total(const struct at_baseline *baseline, struct at_text facet, int64_t now_ms) {
    if (!baseline) return 0;
    double since = (double)(now_ms - baseline->landmark_ms) / AT_AFFINITY_HALF_MS;
    /* a moment so far off that nothing would be left, or all be infinite, is taken as near enough */
    since = since > FAR_OFF ? FAR_OFF : since < -FAR_OFF ? -FAR_OFF : since;
    return number_at(&baseline->totals, facet_key(facet)) * exp2(-since);
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
    uint32_t shop_days;
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

bool at_crowd_set_shop_days(struct at_crowd *crowd, uint32_t days) {
    bool is_other = crowd->shop_days != days;
    crowd->shop_days = days;
    return is_other;
}

uint32_t at_crowd_shop_days(const struct at_crowd *crowd) {
    return crowd->shop_days;
}

static char *copy(struct at_text text) {
    char *out = malloc(text.length + 1);
    if (!out) return NULL;
    memcpy(out, text.data, text.length);
    out[text.length] = 0;
    return out;
}

#define KEY_SIZE 512
/* The name of an entry in the index; 0: it is not counted, as in the fold. */
static size_t write_key(struct at_text facet, struct at_text value, char key[KEY_SIZE]) {
    if (!value.length || value.length > TASTE_VALUE_MAX || facet.length + value.length + 1 > KEY_SIZE)
        return 0;
    if (memchr(value.data, 0, value.length) || memchr(facet.data, 0, facet.length)) return 0;
    memcpy(key, facet.data, facet.length);
    key[facet.length] = 0;
    memcpy(key + facet.length + 1, value.data, value.length);
    return facet.length + 1 + value.length;
}

static bool grow(struct at_crowd *crowd) {
    if (crowd->count < crowd->capacity) return true;
    size_t capacity = crowd->capacity ? crowd->capacity * 2 : 256;
    struct entry *entries = realloc(crowd->entries, capacity * sizeof *entries);
    if (!entries) return false;
    crowd->entries = entries;
    crowd->capacity = capacity;
    return true;
}

static bool put(struct at_crowd *crowd, struct at_text facet, struct at_text value, double weight) {
    char key[KEY_SIZE];
    size_t length = write_key(facet, value, key);
    uint64_t *place = length ? at_map_get(&crowd->index, key, length) : NULL;
    if (place) crowd->entries[*place].weight += weight;
    if (place || !length) return true;
    if (!grow(crowd)) return false;
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

static void cut_back(struct at_crowd *crowd, size_t count) {
    char key[KEY_SIZE];
    while (crowd->count > count) {
        struct entry *entry = &crowd->entries[--crowd->count];
        size_t length = write_key(at_text_of(entry->facet), at_text_of(entry->value), key);
        at_map_remove(&crowd->index, key, length);
        free(entry->facet);
        free(entry->value);
    }
}

static int by_weight(const void *a, const void *b) {
    double x = ((const struct entry *)a)->weight, y = ((const struct entry *)b)->weight;
    return x > y ? -1 : x < y;
}

/* Shops do not have that many brands and colours: what is this rare tells nothing. */
static bool prune(struct at_crowd *crowd) {
    if (crowd->count < CROWD_MAX) return true;
    struct at_crowd kept = {.landmark_ms = crowd->landmark_ms,
                            .has_landmark = crowd->has_landmark,
                            .shop_days = crowd->shop_days};
    bool is_ok = true;
    at_map_init(&kept.index);
    qsort(crowd->entries, crowd->count, sizeof *crowd->entries, by_weight);
    for (size_t i = 0; is_ok && i < crowd->count / 2; i++)
        is_ok = put(&kept, at_text_of(crowd->entries[i].facet), at_text_of(crowd->entries[i].value),
                    crowd->entries[i].weight);
    if (is_ok) {
        clear(crowd);
        *crowd = kept;
        return true;
    }
    clear(&kept);
    for (size_t i = 0; i < crowd->count; i++) { /* sorted, they stand elsewhere */
        char key[KEY_SIZE];
        size_t length =
            write_key(at_text_of(crowd->entries[i].facet), at_text_of(crowd->entries[i].value), key);
        *at_map_get(&crowd->index, key, length) = i;
    }
    return false;
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

static bool learn_items(struct at_crowd *crowd, struct at_json items, double weight) {
    struct named_products named;
    named.count = 0;
    struct at_json_each it = at_json_each(items);
    while (at_json_next(&it)) {
        struct at_text product = at_json_text(at_json_get(it.value, "product"));
        if (!product.length || !at_item_is_news(it.value) || !is_named_first(&named, product)) continue;
        if (!learn_facets(crowd, at_json_get(it.value, "facets"), weight)) return false;
    }
    return true;
}

enum at_status at_crowd_learn(struct at_crowd *crowd, const struct at_logged_event *event) {
    struct at_json items = at_json_get(event->facts, "items");
    double interest = interest_of(event->name);
    if (!interest || !at_order_is_news(event)) return AT_OK;
    if (!prune(crowd)) return AT_NOMEM;
    size_t before = crowd->count;
    if (!learn_items(crowd, items, 0)) { /* room for all of them first: then nothing can fail */
        cut_back(crowd, before);
        return AT_NOMEM;
    }
    if (!crowd->has_landmark) crowd->landmark_ms = event->at_ms;
    crowd->has_landmark = true;
    if (event->at_ms - crowd->landmark_ms > 300LL * AT_AFFINITY_HALF_MS) move_landmark(crowd, event->at_ms);
    learn_items(crowd, items,
                interest * exp2((double)(event->at_ms - crowd->landmark_ms) / AT_AFFINITY_HALF_MS));
    return AT_OK;
}

/* Shares do not change by time alone: all weights decay alike. */
struct at_baseline *at_crowd_baseline(const struct at_crowd *crowd) {
    struct at_baseline *baseline = calloc(1, sizeof *baseline);
    bool is_ok = baseline != NULL;
    if (!baseline) return NULL;
    atomic_init(&baseline->refs, 1);
    at_intmap_init(&baseline->shares);
    at_intmap_init(&baseline->totals);
    baseline->landmark_ms = crowd->landmark_ms;
    baseline->shop_days = crowd->shop_days;
    for (size_t i = 0; is_ok && i < crowd->count; i++)
        is_ok = add_number(&baseline->totals, facet_key(at_text_of(crowd->entries[i].facet)),
                           crowd->entries[i].weight);
    for (size_t i = 0; is_ok && i < crowd->count; i++) {
        const struct entry *entry = &crowd->entries[i];
        struct at_text facet = at_text_of(entry->facet);
        double total = number_at(&baseline->totals, facet_key(facet));
        is_ok = add_number(&baseline->shares, key_of(facet, at_text_of(entry->value)),
                           total > 0 ? entry->weight / total : 0);
    }
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
