/* SPDX-License-Identifier: Apache-2.0
 *
 * What a product's affinity, seen and bought are for the person of a decision: tables by code and by row,
 * which columns and single products read alike. Without Lua. The tables of a taste are kept for the next
 * decision of the same person: a visit asks many times, and nothing in them changes but with an event.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "language/state.h"

#define MINUTE_MS 60000

/* ---- tastes ---- */

/* Tastes fade over weeks: the minute is exact enough, and the same for all decisions within it. */
enum at_status personal_tastes(struct at_decision_view *view) {
    if (view->has_tastes) return AT_OK;
    int64_t minute_ms = view->now_ms - view->now_ms % MINUTE_MS;
    enum at_status status =
        at_tastes_compute(view->profile, view->baseline, minute_ms, view->arena, &view->tastes);
    view->has_tastes = status == AT_OK;
    return status;
}

static void fill_table(const struct at_decision_view *view, const struct at_facet_taste *facet, int attribute,
                       double *table) {
    for (uint32_t i = 0; facet && i < facet->count; i++) {
        const struct at_taste_value *one = &view->tastes.values[facet->first + i];
        table[at_root_code_of(view->root, attribute, one->value.data, one->value.length)] = one->affinity;
    }
    table[0] = 0;
}

/* How strongly each value is disliked. */
static void fill_dislikes(const struct at_decision_view *view, const struct at_facet_taste *facet,
                          int attribute, double *table) {
    const struct at_taste_value *last = view->tastes.values + facet->first + facet->count;
    for (const struct at_taste_value *one = last - facet->disliked; one < last; one++)
        table[at_root_code_of(view->root, attribute, one->value.data, one->value.length)] = one->strength;
    table[0] = 0;
}

static size_t table_size(const struct at_decision_view *view, int attribute) {
    return (size_t)at_root_code_count(view->root, attribute) + 1;
}

double *personal_table(struct at_decision_view *view, const struct at_facet_taste *facet, int attribute) {
    double *table = at_arena_zalloc(view->arena, table_size(view, attribute) * sizeof *table);
    if (table) fill_table(view, facet, attribute, table);
    return table;
}

/* The attribute of a facet that says anything about this catalog; -1: none. */
static int attribute_of(const struct at_decision_view *view, const struct at_facet_taste *facet) {
    bool says = facet->gain > 0 || facet->disliked;
    int attribute = says ? at_root_attribute(view->root, facet->facet.data, facet->facet.length) : -1;
    if (attribute < 0 || !at_root_attribute_at(view->root, attribute)->is_facet) return -1;
    return attribute;
}

/* ---- kept tables ---- */

struct taste_key {
    const struct at_profile *profile; /* a reference each: an address is of one snapshot while it is kept */
    const struct at_baseline *baseline;
    uint64_t root_version;
    int64_t minute;
};
struct kept_taste { /* facets, then their tables, in one block */
    struct taste_key key;
    size_t bytes;
    uint32_t facet_count;
    struct at_facet_table facets[];
};
#define KEPT_SLOTS 4096
#define KEPT_MAX_BYTES                                                                                       \
    ((size_t)8 << 20) /* of one state, or a sixteenth of its account; when full everything goes */
struct taste_store {
    struct kept_taste *slots[KEPT_SLOTS];
    size_t bytes;
};

static void kept_free(struct at_language *language, struct kept_taste **slot) {
    struct kept_taste *kept = *slot;
    if (!kept) return;
    at_profile_unref((struct at_profile *)(uintptr_t)kept->key.profile);
    if (kept->key.baseline) at_baseline_unref((struct at_baseline *)(uintptr_t)kept->key.baseline);
    language->taste_store->bytes -= kept->bytes;
    if (language->account) at_account_give(language->account, kept->bytes);
    free(kept);
    *slot = NULL;
}

static void store_clear(struct at_language *language) {
    for (uint32_t i = 0; i < KEPT_SLOTS; i++) kept_free(language, &language->taste_store->slots[i]);
}

static size_t store_limit(const struct at_language *language) {
    size_t share = language->account ? language->account->limit / 16 : KEPT_MAX_BYTES;
    return share < KEPT_MAX_BYTES ? share : KEPT_MAX_BYTES;
}

void personal_free(struct at_language *language) {
    if (language->taste_store) store_clear(language);
    free(language->taste_store);
    for (int i = 0; i < 2; i++) {
        free(language->by_row[i].values);
        free(language->by_row[i].touched);
    }
}

static struct taste_key key_of(const struct at_decision_view *view) {
    return (struct taste_key){view->profile, view->baseline, at_root_version(view->root),
                              view->now_ms / MINUTE_MS};
}

static struct kept_taste **slot_of(struct at_language *language, const struct taste_key *key) {
    if (!language->taste_store) language->taste_store = calloc(1, sizeof *language->taste_store);
    if (!language->taste_store) return NULL;
    return &language->taste_store->slots[at_mix64((uintptr_t)key->profile) % KEPT_SLOTS];
}

static bool is_of(const struct kept_taste *kept, const struct taste_key *key) {
    return kept && kept->key.profile == key->profile && kept->key.baseline == key->baseline &&
           kept->key.root_version == key->root_version && kept->key.minute == key->minute;
}

/* Tables of one decision's tastes: of what is liked, then of what is disliked, which takes away. */
static uint32_t table_count(const struct at_facet_taste *facet) {
    return (facet->gain > 0) + (facet->disliked > 0);
}

static struct kept_taste *kept_new(const struct at_decision_view *view, double **tables) {
    const struct at_tastes *tastes = &view->tastes;
    uint32_t count = 0;
    size_t bytes = sizeof(struct kept_taste);
    for (uint32_t i = 0; i < tastes->facet_count; i++) {
        int attribute = attribute_of(view, &tastes->facets[i]);
        uint32_t wanted = attribute < 0 ? 0 : table_count(&tastes->facets[i]);
        if (wanted) bytes += wanted * table_size(view, attribute) * sizeof(double);
        count += wanted;
    }
    bytes += count * sizeof(struct at_facet_table);
    struct kept_taste *kept = calloc(1, bytes);
    if (!kept) return NULL;
    kept->bytes = bytes;
    *tables = (double *)(void *)(kept->facets + count);
    return kept;
}

static double *kept_table(const struct at_decision_view *view, struct kept_taste *kept, int attribute,
                          double weight, double **tables) {
    bool is_list = at_root_attribute_at(view->root, attribute)->kind == AT_ATTRIBUTE_LIST;
    double *table = *tables;
    *tables += table_size(view, attribute);
    kept->facets[kept->facet_count++] = (struct at_facet_table){attribute, is_list, table, weight};
    return table;
}

static struct kept_taste *kept_make(struct at_decision_view *view) {
    const struct at_tastes *tastes = &view->tastes;
    double gains = 0, *tables;
    struct kept_taste *kept = kept_new(view, &tables);
    if (!kept) return NULL;
    for (uint32_t i = 0; i < tastes->facet_count; i++) {
        const struct at_facet_taste *facet = &tastes->facets[i];
        int attribute = attribute_of(view, facet);
        if (attribute < 0 || facet->gain <= 0) continue;
        fill_table(view, facet, attribute, kept_table(view, kept, attribute, facet->gain, &tables));
        gains += facet->gain;
    }
    for (uint32_t i = 0; i < kept->facet_count; i++) kept->facets[i].weight /= gains;
    for (uint32_t i = 0; i < tastes->facet_count; i++) {
        const struct at_facet_taste *facet = &tastes->facets[i];
        int attribute = facet->disliked ? attribute_of(view, facet) : -1;
        if (attribute >= 0)
            fill_dislikes(view, facet, attribute, kept_table(view, kept, attribute, -1, &tables));
    }
    return kept;
}

static void show(struct at_decision_view *view, const struct kept_taste *kept) {
    view->facets = kept ? kept->facets : NULL;
    view->facet_count = kept ? kept->facet_count : 0;
    view->has_facets = true;
}

/* What is shown stays until the next decision of this state: only then may a slot be taken again. */
enum at_status personal_facets(struct at_language *language) {
    struct at_decision_view *view = language->view;
    if (view->has_facets) return AT_OK;
    bool has_none = !view->profile->taste_count && !view->profile->stated_count;
    if (has_none && !view->has_tastes) return show(view, NULL), AT_OK;
    struct taste_key key = key_of(view);
    struct kept_taste **slot = slot_of(language, &key);
    if (!slot) return AT_NOMEM;
    if (is_of(*slot, &key)) return show(view, *slot), AT_OK;
    if (personal_tastes(view) != AT_OK) return AT_NOMEM;
    struct kept_taste *kept = kept_make(view);
    if (!kept) return AT_NOMEM;
    kept_free(language, slot);
    if (language->taste_store->bytes + kept->bytes > store_limit(language)) store_clear(language);
    kept->key = key;
    at_profile_ref((struct at_profile *)(uintptr_t)key.profile);
    if (key.baseline) at_baseline_ref((struct at_baseline *)(uintptr_t)key.baseline);
    language->taste_store->bytes += kept->bytes;
    if (language->account) at_account_force(language->account, kept->bytes);
    *slot = kept;
    return show(view, kept), AT_OK;
}

/* ---- what the person met, by row ---- */

static struct at_by_row *take_by_row(struct at_language *language, struct at_by_row *by_row) {
    uint32_t rows = at_root_rows(language->view->root);
    if (by_row->capacity < rows + 1) {
        uint32_t capacity = rows + rows / 4 + AT_CHUNK_ROWS;
        double *values = calloc(capacity, sizeof *values);
        if (!values) return NULL;
        free(by_row->values);
        by_row->values = values;
        by_row->capacity = capacity;
    }
    uint32_t wanted = language->view->profile->product_count;
    if (by_row->touched_capacity < wanted) {
        uint32_t *touched = realloc(by_row->touched, wanted * sizeof *touched);
        if (!touched) return NULL;
        by_row->touched = touched;
        by_row->touched_capacity = wanted;
    }
    by_row->in_use = true;
    return by_row;
}

static void set_by_row(struct at_by_row *by_row, uint32_t row, double value) {
    if (row == AT_ROW_NONE || value == 0) return;
    by_row->values[row] = value;
    by_row->touched[by_row->touched_count++] = row;
}

static double seen_of(const struct at_met_product *met, int64_t now_ms) {
    double age = (double)(now_ms - met->shown_at_ms);
    double shown = met->shown * exp2(-(age > 0 ? age : 0) / AT_SHOWN_HALF_MS);
    return shown / (shown + 2);
}

const struct at_by_row *personal_rows(struct at_language *language, enum met_kind kind) {
    struct at_decision_view *view = language->view;
    if (view->met[kind]) return view->met[kind];
    view->met[kind] = take_by_row(language, &language->by_row[kind]);
    for (uint32_t i = 0; view->met[kind] && i < view->profile->product_count; i++) {
        const struct at_met_product *met = &view->profile->products[i];
        double value = kind == MET_BOUGHT ? met->bought : met->shown > 0 ? seen_of(met, view->now_ms) : 0;
        if (value == 0) continue;
        set_by_row(view->met[kind], at_root_row(view->root, met->product.data, met->product.length), value);
    }
    return view->met[kind];
}

void at_decision_end(struct at_language *language, struct at_decision_view *view) {
    for (int i = 0; i < 2; i++) {
        struct at_by_row *by_row = &language->by_row[i];
        for (uint32_t k = 0; k < by_row->touched_count; k++) by_row->values[by_row->touched[k]] = 0;
        by_row->touched_count = 0;
        by_row->in_use = false;
        view->met[i] = NULL;
    }
}
