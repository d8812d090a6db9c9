/* SPDX-License-Identifier: Apache-2.0
 *
 * What everyone does, learned from durable events on the back worker: per product the counted features, over
 * all facets the baseline of tastes. Weights decay; they are kept as of a landmark moment, so that time alone
 * costs nothing: w = Σ 2^((t − landmark) / half), worth w · 2^((landmark − now) / half) now. When exponents
 * grow the landmark moves.
 *
 *   popularity  log(1 + w) / log(1 + w_max), w = 14-day bought + 0.05 · viewed
 *   trending    max(0, (fast − slow) / (fast + slow + 1)) of the daily rates over 2 and 14 days
 *   conversion  (bought + 20 m) / (viewed + 20), m: everyone's rate; 0 where nobody looked
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "shop/learn.h"

#define FAST_MS          (2 * AT_DAY_MS)
#define SLOW_MS          (14 * AT_DAY_MS)
#define SHOWN_MS         (7 * AT_DAY_MS)
#define PUBLISH_EVERY_NS 1000000000ULL
#define IMPORT_PAUSE_NS  1000000000ULL

void learn_give(struct at_shop *shop, struct learn_event *first, struct learn_event *last, uint32_t count) {
    struct learner *learner = shop->learner;
    pthread_mutex_lock(&learner->mutex);
    if (learner->last)
        learner->last->next = first;
    else
        learner->first = first;
    learner->last = last;
    learner->waiting += count;
    pthread_mutex_unlock(&learner->mutex);
}

void learn_became(struct at_shop *shop, uint64_t person, uint64_t other) {
    struct learner *learner = shop->learner;
    pthread_mutex_lock(&learner->mutex);
    for (struct learn_event *event = learner->first; event; event = event->next)
        if (event->person == person) event->person = other;
    pthread_mutex_unlock(&learner->mutex);
}

void learn_show(struct learner *learner) {
    atomic_store_explicit(&learner->learn_shown, learner->learned_seq, memory_order_relaxed);
    atomic_store_explicit(&learner->fold_shown, learner->flushed_fold, memory_order_relaxed);
}

uint64_t learn_place(struct at_shop *shop, bool of_fold) {
    const struct learner *learner = shop->learner;
    return atomic_load_explicit(of_fold ? &learner->fold_shown : &learner->learn_shown, memory_order_relaxed);
}

size_t learn_waiting(struct at_shop *shop) {
    return atomic_load_explicit(&shop->learner->waiting, memory_order_relaxed);
}

uint64_t learn_released_seq(struct at_shop *shop) {
    return atomic_load(&shop->learner->released_seq);
}

void learn_released(struct at_shop *shop, uint64_t seq) {
    atomic_store(&shop->learner->released_seq, seq);
}

/* ---- counting ---- */

static double weight_at(const struct learner *learner, int64_t at_ms, double half_ms) {
    return exp2((double)(at_ms - learner->landmark_ms) / half_ms);
}

void stat_scale(struct product_stat *stat, const struct product_stat *by) {
    stat->fast *= by->fast;
    stat->bought *= by->bought;
    stat->viewed *= by->viewed;
    stat->acted *= by->acted;
    stat->shown *= by->shown;
    stat->is_dirty = true;
}

void stat_add(struct product_stat *stat, const struct product_stat *other) {
    stat->fast += other->fast;
    stat->bought += other->bought;
    stat->viewed += other->viewed;
    stat->acted += other->acted;
    stat->shown += other->shown;
    stat->is_dirty = true;
}

static struct product_stat fading(int64_t span_ms) {
    double fast = exp2(-(double)span_ms / FAST_MS), slow = exp2(-(double)span_ms / SLOW_MS),
           shown = exp2(-(double)span_ms / SHOWN_MS);
    return (struct product_stat){.fast = fast, .bought = slow, .viewed = slow, .acted = slow, .shown = shown};
}

static void move_landmark(struct learner *learner, int64_t to_ms) {
    struct product_stat by = fading(to_ms - learner->landmark_ms);
    for (uint32_t i = 0; i < learner->count; i++) stat_scale(&learner->stats[i], &by);
    unmet_scale(&learner->unmet, &by);
    learner->landmark_ms = to_ms;
}

void stat_write(const struct product_stat *stat, int64_t as_of_ms, struct at_json_out *out) {
    at_json_open(out, '{');
    at_json_add_int(out, "as_of", as_of_ms);
    at_json_add_number(out, "bought", stat->bought);
    at_json_add_number(out, "viewed", stat->viewed);
    at_json_add_number(out, "acted", stat->acted);
    at_json_add_number(out, "fast", stat->fast);
    at_json_add_number(out, "shown", stat->shown);
    at_json_close(out, '}');
}

void stat_read(struct learner *learner, struct at_json json, struct product_stat *stat) {
    int64_t as_of = 0;
    at_json_int(at_json_get(json, "as_of"), &as_of);
    at_json_number(at_json_get(json, "bought"), &stat->bought);
    at_json_number(at_json_get(json, "viewed"), &stat->viewed);
    at_json_number(at_json_get(json, "acted"), &stat->acted);
    at_json_number(at_json_get(json, "fast"), &stat->fast);
    at_json_number(at_json_get(json, "shown"), &stat->shown);
    if (!learner->landmark_ms) learner->landmark_ms = as_of;
    struct product_stat by = fading(learner->landmark_ms - as_of); /* written before the landmark moved */
    stat_scale(stat, &by);
    stat->is_dirty = false;
}

bool learn_room(struct learner *learner, uint32_t row) {
    if (row < learner->count) return true;
    uint32_t count = row + 1 < learner->count * 2 ? learner->count * 2 : row + 1024;
    struct product_stat *stats = realloc(learner->stats, count * sizeof *stats);
    if (!stats) return false;
    memset(stats + learner->count, 0, (count - learner->count) * sizeof *stats);
    learner->stats = stats;
    learner->count = count;
    return true;
}

enum what { WHAT_OTHER, WHAT_VIEW, WHAT_BUY, WHAT_ACT, WHAT_SHOW };
static enum what what_of(const char *name) {
    if (strcmp(name, "product_viewed") == 0 || strcmp(name, "product_clicked") == 0) return WHAT_VIEW;
    if (strcmp(name, "order_completed") == 0) return WHAT_BUY;
    if (strcmp(name, "product_added") == 0 || strcmp(name, "product_added_to_wishlist") == 0) return WHAT_ACT;
    if (strcmp(name, "product_list_viewed") == 0) return WHAT_SHOW;
    return WHAT_OTHER;
}

static void count_item(struct learner *learner, enum what what, struct product_stat *stat, int64_t at_ms) {
    double slow = weight_at(learner, at_ms, SLOW_MS), fast = weight_at(learner, at_ms, FAST_MS);
    if (what == WHAT_SHOW)
        stat->shown += weight_at(learner, at_ms, SHOWN_MS);
    else {
        double weight = what == WHAT_VIEW ? 1 : what == WHAT_ACT ? 2 : 5;
        stat->fast += weight * fast;
        stat->acted += weight * slow;
        if (what == WHAT_VIEW) stat->viewed += slow;
        if (what == WHAT_BUY) stat->bought += slow;
    }
    stat->is_dirty = true;
    learner->is_changed = true;
}

/* Where it is counted: its row, or by its id until there is one. NULL: out of memory. */
static struct product_stat *stat_of(struct at_shop *shop, const struct at_root *root,
                                    struct at_text product) {
    struct learner *learner = shop->learner;
    uint32_t row = at_root_row(root, product.data, product.length);
    if (row == AT_ROW_NONE) return unmet_stat(shop, product);
    return learn_room(learner, row) ? &learner->stats[row] : NULL;
}

static void learn_items(struct at_shop *shop, const struct learn_event *event, struct at_root *root) {
    struct learner *learner = shop->learner;
    struct at_json facts;
    if (at_json_parse(learner->parser, event->facts, event->facts_length, true, &facts, NULL) != AT_OK)
        return;
    bool learns = true;
    at_json_bool(at_json_get(facts, "learn"), &learns);
    if (!learns) return; /* of somebody without consent to personalization */
    struct at_logged_event logged = {
        .seq = event->seq, .at_ms = event->at_ms, .name = at_text_of(event->name), .facts = facts};
    if (at_crowd_learn(learner->crowd, &logged) != AT_OK)
        at_log(at_shop_log(shop), AT_LOG_WARN, "learn",
               "out of memory: one event was not counted for everyone");
    else
        learner->crowd_changed = true;
    enum what what = what_of(event->name);
    if (what == WHAT_OTHER) return;
    if (event->at_ms - learner->landmark_ms > 200 * FAST_MS) move_landmark(learner, event->at_ms);
    if (!at_order_is_news(&logged)) return;
    struct at_json_each it = at_json_each(at_json_get(facts, "items"));
    while (at_json_next(&it)) {
        struct at_text product = at_json_text(at_json_get(it.value, "product"));
        bool is_news = product.length && at_item_is_news(it.value);
        struct product_stat *stat = is_news ? stat_of(shop, root, product) : NULL;
        if (stat) count_item(learner, what, stat, event->at_ms);
    }
}

static bool note_timeline(struct learner *learner, const struct learn_event *event) {
    if (learner->pair_count == learner->pair_capacity) {
        size_t capacity = learner->pair_capacity ? learner->pair_capacity * 2 : 1024;
        struct timeline_pair *pairs = realloc(learner->pairs, capacity * sizeof *pairs);
        if (!pairs) return false;
        learner->pairs = pairs;
        learner->pair_capacity = capacity;
    }
    learner->pairs[learner->pair_count++] = (struct timeline_pair){event->source, event->seq};
    return true;
}

bool learn_is_importing(const struct learner *learner) {
    return learner->backfill_ns && at_ticks_ns() - learner->backfill_ns < IMPORT_PAUSE_NS;
}

void learn_drain(struct at_shop *shop) {
    struct learner *learner = shop->learner;
    pthread_mutex_lock(&learner->mutex);
    struct learn_event *event = learner->first;
    learner->first = learner->last = NULL;
    learner->waiting = 0;
    pthread_mutex_unlock(&learner->mutex);
    if (!event) return;
    struct at_root *root = at_catalog_root(shop->catalog);
    bool is_import = false;
    while (event) {
        struct learn_event *next = event->next;
        is_import |= event->is_backfill;
        segments_note(shop, event->person, event->seq, at_text_of(event->name));
        if (event->seq > learner->learned_seq) {
            if (event->has_items) learn_items(shop, event, root);
            while (!note_timeline(learner, event)) /* never lost: the timeline is written to make room */
                if (flush_timeline(shop) != AT_OK) break;
            learner->learned_seq = event->seq;
        }
        free(event);
        event = next;
    }
    at_root_unref(root);
    learn_show(learner);
    if (is_import) learner->backfill_ns = at_ticks_ns();
    size_t most = learn_is_importing(learner) ? FLUSH_IMPORT_AT : FLUSH_AT;
    if (learner->pair_count >= most && flush_all(shop) != AT_OK)
        at_log(at_shop_log(shop), AT_LOG_WARN, "store", "writing behind failed; it is tried again");
}

/* ---- publishing ---- */

struct columns {
    float *popularity, *trending, *conversion;
};

static void compute(const struct learner *learner, uint32_t rows, int64_t now_ms, struct columns *out) {
    double slow = weight_at(learner, now_ms, SLOW_MS), fast = weight_at(learner, now_ms, FAST_MS), most = 0,
           bought = 0, viewed = 0;
    slow = slow > 0 && isfinite(1 / slow) ? 1 / slow : 0;
    fast = fast > 0 && isfinite(1 / fast) ? 1 / fast : 0;
    for (uint32_t i = 0; i < rows; i++) {
        const struct product_stat *stat = &learner->stats[i];
        double weight = (stat->bought + 0.05 * stat->viewed) * slow;
        if (weight > most) most = weight;
        bought += stat->bought * slow;
        viewed += stat->viewed * slow;
    }
    double mean = viewed > 0 ? fmin(1, bought / viewed) : 0, scale = most > 0 ? 1 / log1p(most) : 0;
    double per_day_fast = log(2) * AT_DAY_MS / FAST_MS, per_day_slow = log(2) * AT_DAY_MS / SLOW_MS;
    for (uint32_t i = 0; i < rows; i++) {
        const struct product_stat *stat = &learner->stats[i];
        double b = stat->bought * slow, v = stat->viewed * slow, f = stat->fast * fast * per_day_fast,
               s = stat->acted * slow * per_day_slow;
        out->popularity[i] = (float)(log1p(b + 0.05 * v) * scale);
        out->trending[i] = (float)fmax(0, (f - s) / (f + s + 1));
        out->conversion[i] = v > 0 ? (float)fmin(1, (b + 20 * mean) / (v + 20)) : 0;
    }
}

static struct shown *make_shown(const struct learner *learner, uint32_t rows, int64_t now_ms) {
    struct shown *shown = malloc(sizeof *shown + rows * sizeof(uint32_t));
    if (!shown) return NULL;
    double scale = 1 / weight_at(learner, now_ms, SHOWN_MS);
    atomic_init(&shown->refs, 1);
    shown->count = rows;
    for (uint32_t i = 0; i < rows; i++) {
        double n = i < learner->count ? learner->stats[i].shown * scale + learner->stats[i].viewed * 1e-3 : 0;
        shown->by_row[i] = n < 4e9 ? (uint32_t)n : UINT32_MAX;
    }
    return shown;
}

static void publish_columns(struct at_shop *shop, int64_t now_ms) {
    struct learner *learner = shop->learner;
    struct at_root *root = at_catalog_root(shop->catalog);
    uint32_t rows = at_root_rows(root);
    at_root_unref(root);
    if (!rows || !learn_room(learner, rows - 1)) return;
    float *values = malloc(3 * (size_t)rows * sizeof(float));
    struct shown *shown = make_shown(learner, rows, now_ms), *old = NULL;
    if (values) {
        struct columns columns = {values, values + rows, values + 2 * (size_t)rows};
        compute(learner, rows, now_ms, &columns);
        const float *const lent[AT_COUNTED_COUNT] = {columns.popularity, columns.trending,
                                                     columns.conversion};
        if (at_catalog_publish_counted(shop->catalog, lent, rows) != AT_OK)
            at_log(at_shop_log(shop), AT_LOG_WARN, "learn", "out of memory: popularity stays as it was");
    }
    free(values);
    if (!shown) return;
    pthread_mutex_lock(&shop->learned_mutex);
    old = shop->shown;
    shop->shown = shown;
    atomic_fetch_add(&shop->learned_version, 1);
    pthread_mutex_unlock(&shop->learned_mutex);
    shown_unref(old);
}

void learn_publish(struct at_shop *shop) {
    struct learner *learner = shop->learner;
    uint64_t ticks = at_ticks_ns();
    unmet_meet(shop);
    if (!learner->is_changed && !learner->crowd_changed) return;
    if (learner->published_ns && ticks - learner->published_ns < PUBLISH_EVERY_NS) return;
    learner->published_ns = ticks;
    if (learner->is_changed) publish_columns(shop, at_shop_now(shop));
    learner->is_changed = false;
    if (!learner->crowd_changed) return;
    struct at_baseline *baseline = at_crowd_baseline(learner->crowd), *old = NULL;
    if (!baseline) return;
    learner->crowd_changed = false;
    pthread_mutex_lock(&shop->learned_mutex);
    old = shop->baseline;
    shop->baseline = baseline;
    atomic_fetch_add(&shop->learned_version, 1);
    pthread_mutex_unlock(&shop->learned_mutex);
    if (old) at_baseline_unref(old);
}

void shown_unref(struct shown *shown) {
    if (shown && atomic_fetch_sub(&shown->refs, 1) == 1) free(shown);
}

struct at_baseline *learn_baseline(struct at_shop *shop) {
    pthread_mutex_lock(&shop->learned_mutex);
    struct at_baseline *baseline = shop->baseline ? at_baseline_ref(shop->baseline) : NULL;
    pthread_mutex_unlock(&shop->learned_mutex);
    return baseline;
}

struct shown *learn_shown(struct at_shop *shop) {
    pthread_mutex_lock(&shop->learned_mutex);
    struct shown *shown = shop->shown;
    if (shown) atomic_fetch_add(&shown->refs, 1);
    pthread_mutex_unlock(&shop->learned_mutex);
    return shown;
}
