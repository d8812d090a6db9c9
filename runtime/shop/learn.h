/* SPDX-License-Identifier: Apache-2.0
 *
 * The learner's state, shared by learn.c (what is learned) and flush.c (how it is kept). The back worker's,
 * but the queue.
 */
#ifndef AT_SHOP_LEARN_H
#define AT_SHOP_LEARN_H

#include "shop/internal.h"

#define FLUSH_AT 50000 /* events waiting to be written behind */

struct product_stat { /* as of the landmark */
    double bought, viewed, acted, fast, shown;
    bool is_dirty;
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
    struct at_json_parser *parser;
    struct product_stat *stats; /* by row */
    uint32_t count;
    int64_t landmark_ms;
    bool is_changed, crowd_changed, crowd_dirty;
    uint64_t published_ns;
    uint64_t learned_seq;                 /* counted up to here; its cursor is "learn" */
    uint64_t flushed_learn, flushed_fold; /* as last written */
    struct timeline_pair *pairs;          /* durable events the timeline does not hold yet */
    size_t pair_count, pair_capacity;
};
bool learn_room(struct learner *learner, uint32_t row);

#endif
