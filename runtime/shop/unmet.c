/* SPDX-License-Identifier: Apache-2.0
 *
 * Statistics of products that events name and the catalog does not know yet: a shop may send events first and
 * its products later. They wait by the id that was named, and go to the product's row when it comes, so that
 * it does not matter which came first. Anybody with a write key can name anything: there is a ceiling, over
 * it the weakest half goes. The back worker's.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/learn.h"

#define UNMET_MAX 10000

static struct product_stat *stat_of(const struct at_map_slot *slot) {
    return (struct product_stat *)(uintptr_t)slot->value;
}

void unmet_clear(struct unmet *unmet) {
    struct at_map_slot *slot;
    for (size_t i = 0; (slot = at_map_next(&unmet->by_id, &i));) free(stat_of(slot));
    at_map_clear(&unmet->by_id);
}

/* ---- the ceiling ---- */

static double strength(const struct product_stat *stat) {
    return stat->acted + stat->shown * 1e-3;
}

static int by_strength(const void *a, const void *b) {
    double x = strength(stat_of(*(struct at_map_slot *const *)a)),
           y = strength(stat_of(*(struct at_map_slot *const *)b));
    return x > y ? -1 : x < y;
}

/* Keeps what the list begins with, in a map of its own; false: out of memory, all stays as it was. */
static bool keep_only(struct unmet *unmet, struct at_map_slot **list, size_t count) {
    struct at_map kept;
    at_map_init(&kept);
    for (size_t i = 0; i < count; i++) {
        uint64_t *place = at_map_put(&kept, list[i]->key, list[i]->length, NULL);
        if (!place) {
            at_map_clear(&kept);
            return false;
        }
        *place = list[i]->value;
    }
    at_map_clear(&unmet->by_id);
    unmet->by_id = kept;
    unmet->is_dirty = true;
    return true;
}

/* All slots, those of known products last; *waiting: how many are not known. NULL: out of memory. */
static struct at_map_slot **list_all(const struct unmet *unmet, const struct at_root *root, size_t *waiting) {
    struct at_map_slot **list = malloc((unmet->by_id.count + 1) * sizeof(struct at_map_slot *)), *slot;
    size_t known = unmet->by_id.count;
    *waiting = 0;
    for (size_t i = 0; list && (slot = at_map_next(&unmet->by_id, &i));)
        if (root && at_root_row(root, slot->key, slot->length) != AT_ROW_NONE)
            list[--known] = slot;
        else
            list[(*waiting)++] = slot;
    return list;
}

static bool make_room(struct at_shop *shop, struct unmet *unmet) {
    size_t count;
    if (unmet->by_id.count < UNMET_MAX) return true;
    struct at_map_slot **list = list_all(unmet, NULL, &count);
    struct product_stat *gone[UNMET_MAX / 2];
    if (!list) return false;
    qsort(list, count, sizeof *list, by_strength);
    for (size_t i = 0; i < UNMET_MAX / 2; i++) gone[i] = stat_of(list[count - 1 - i]);
    bool is_ok = keep_only(unmet, list, count - UNMET_MAX / 2);
    for (size_t i = 0; is_ok && i < UNMET_MAX / 2; i++) free(gone[i]);
    free(list);
    if (is_ok) count_add(shop, COUNT_UNMET_DROPPED, UNMET_MAX / 2);
    return is_ok;
}

struct product_stat *unmet_stat(struct at_shop *shop, struct at_text product) {
    struct unmet *unmet = &shop->learner->unmet;
    uint64_t *place = at_map_get(&unmet->by_id, product.data, product.length);
    unmet->is_dirty = true;
    if (place) return (struct product_stat *)(uintptr_t)*place;
    struct product_stat *stat = make_room(shop, unmet) ? calloc(1, sizeof *stat) : NULL;
    place = stat ? at_map_put(&unmet->by_id, product.data, product.length, NULL) : NULL;
    if (!place) {
        free(stat);
        return NULL;
    }
    *place = (uint64_t)(uintptr_t)stat;
    return stat;
}

void unmet_scale(struct unmet *unmet, const struct product_stat *by) {
    struct at_map_slot *slot;
    for (size_t i = 0; (slot = at_map_next(&unmet->by_id, &i));) stat_scale(stat_of(slot), by);
    unmet->is_dirty = true;
}

/* ---- products come ---- */

void unmet_meet(struct at_shop *shop) {
    struct learner *learner = shop->learner;
    struct unmet *unmet = &learner->unmet;
    size_t waiting = 0, all = unmet->by_id.count;
    if (!all) return;
    struct at_root *root = at_catalog_root(shop->catalog);
    bool is_new = unmet->seen_version != at_root_version(root) && at_root_rows(root);
    struct at_map_slot **list = is_new ? list_all(unmet, root, &waiting) : NULL;
    struct product_stat **met = list ? malloc((all - waiting + 1) * sizeof(struct product_stat *)) : NULL;
    uint32_t *rows = met ? malloc((all - waiting + 1) * sizeof *rows) : NULL;
    if (rows && learn_room(learner, at_root_rows(root) - 1)) {
        for (size_t i = waiting; i < all; i++) {
            met[i - waiting] = stat_of(list[i]);
            rows[i - waiting] = at_root_row(root, list[i]->key, list[i]->length);
        }
        bool is_done = waiting == all || keep_only(unmet, list, waiting);
        for (size_t i = 0; is_done && i < all - waiting; i++) {
            stat_add(&learner->stats[rows[i]], met[i]);
            free(met[i]);
            learner->is_changed = true;
        }
        if (is_done) unmet->seen_version = at_root_version(root);
    }
    free(rows);
    free(met);
    free(list);
    at_root_unref(root);
}

/* ---- storage: {"id":{a statistic}, …} ---- */

void unmet_write(const struct learner *learner, struct at_bytes *bytes) {
    struct at_json_out out = at_json_out(bytes);
    struct at_map_slot *slot;
    at_json_open(&out, '{');
    for (size_t i = 0; (slot = at_map_next(&learner->unmet.by_id, &i));) {
        at_json_key_text(&out, (struct at_text){slot->key, slot->length});
        stat_write(stat_of(slot), learner->landmark_ms, &out);
    }
    at_json_close(&out, '}');
}

enum at_status unmet_read(struct at_shop *shop, struct at_json json) {
    struct at_json_each it = at_json_each(json);
    while (at_json_next(&it)) {
        struct product_stat *stat = unmet_stat(shop, it.key);
        if (!stat) return AT_NOMEM;
        stat_read(shop->learner, it.value, stat);
    }
    shop->learner->unmet.is_dirty = false;
    return AT_OK;
}
