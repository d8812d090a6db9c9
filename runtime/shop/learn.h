/* SPDX-License-Identifier: Apache-2.0
 *
 * The learner's state, shared by learn.c (what is learned), unmet.c (of products that have not come) and
 * flush.c (how it is kept). The back worker's, but the queue.
 */
#ifndef AT_SHOP_LEARN_H
#define AT_SHOP_LEARN_H

#include "shop/internal.h"

/* Events waiting to be written behind, at most: a crash folds as many again. An import touches the same
 * people over and over, so that it pays to wait: several times as many are still folded in seconds. */
#define FLUSH_AT        50000
#define FLUSH_IMPORT_AT 500000

struct product_stat { /* as of the landmark */
    double bought, viewed, acted, fast, shown;
    bool is_dirty;
};
struct unmet {             /* of products the catalog does not know yet */
    struct at_map by_id;   /* id as named → struct product_stat * */
    uint64_t seen_version; /* of the catalog: none of them is in it */
    bool is_dirty;
};
struct rhythm_fill { /* rows that were counted by other rules, or by none yet: rhythm.c */
    uint64_t says;   /* hash of what decides what a row is counted by */
    uint64_t after;  /* people up to there are filled in */
    bool is_on;
    uint64_t again_ns; /* it failed: not before then */
};
struct timeline_pair {
    uint64_t source, seq;
};
struct learner {
    pthread_mutex_t mutex; /* of the queue */
    struct learn_event *first, *last;
    _Atomic size_t waiting;
    _Atomic uint64_t released_seq; /* the snapshots of every event up to here are in the cache */
    struct at_crowd *crowd;
    struct rhythm_fill rhythm;
    struct at_json_parser *parser;
    struct product_stat *stats; /* by row */
    uint32_t count;
    struct unmet unmet;
    int64_t landmark_ms;
    bool is_changed, crowd_changed, crowd_dirty;
    uint64_t published_ns, backfill_ns;       /* backfill_ns: when an event of an import was last drained */
    uint64_t learned_seq;                     /* counted up to here; its cursor is "learn" */
    uint64_t flushed_learn, flushed_fold;     /* as last written */
    _Atomic uint64_t learn_shown, fold_shown; /* learned_seq and flushed_fold for other threads */
    struct timeline_pair *pairs;              /* durable events the timeline does not hold yet */
    size_t pair_count, pair_capacity;
};
bool learn_room(struct learner *learner, uint32_t row);
void learn_show(struct learner *learner);
bool learn_is_importing(const struct learner *learner); /* events of the past come in just now */

/* One statistic: times by's members; plus other; as JSON; back, brought to the learner's landmark. */
void stat_scale(struct product_stat *stat, const struct product_stat *by);
void stat_add(struct product_stat *stat, const struct product_stat *other);
void stat_write(const struct product_stat *stat, int64_t as_of_ms, struct at_json_out *out);
void stat_read(struct learner *learner, struct at_json json, struct product_stat *stat);

/* ---- unmet.c ---- */
/* To be added to; valid until the next call. NULL: out of memory. */
struct product_stat *unmet_stat(struct at_shop *shop, struct at_text product);
void unmet_scale(struct unmet *unmet, const struct product_stat *by);
void unmet_meet(struct at_shop *shop); /* those the catalog knows by now go to their rows */
void unmet_write(const struct learner *learner, struct at_bytes *bytes);
enum at_status unmet_read(struct at_shop *shop, struct at_json json) AT_MUST_CHECK;
void unmet_clear(struct unmet *unmet);

#endif
