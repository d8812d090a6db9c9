/* SPDX-License-Identifier: Apache-2.0
 *
 * The commit thread: takes the front lane whole, makes groups of it, one transaction each; between two groups
 * one slice of the lane behind, of sweeping, of checkpointing. Owns the writing connection. Invariant: a unit
 * gets exactly one of its callbacks, done only after COMMIT has returned with the log on the disk.
 */
#include "store/internal.h"

#include <string.h>
#include "base/hash.h"
#include "base/time.h"

#define GROUP_UNITS 4096
#define GROUP_BYTES ((size_t)4 << 20)
#define ID_BLOCK    (UINT64_C(1) << 20)

bool at_status_is_failure(enum at_status status) {
    return status == AT_FULL || status == AT_IO || status == AT_NOMEM;
}

/* ---- a transaction ---- */

static enum at_status open_writer(struct at_store *store) {
    if (store->writer.db && !store->writer.is_suspect) return AT_OK;
    struct at_error err;
    struct at_place place = at_store_place(store, false);
    at_connection_close(&store->writer);
    enum at_status status = at_connection_open(&store->writer, &place, &err);
    if (status == AT_OK) at_checkpoint_watch(store);
    return status;
}

/* Every id that a transaction writes is below the limit that is durable with it. */
static enum at_status reserve_ids(struct at_store *store) {
    uint64_t next = atomic_load(&store->next_id);
    store->id_limit_new = store->id_limit;
    if (next + ID_BLOCK / 2 <= store->id_limit) return AT_OK;
    store->id_limit_new = next + ID_BLOCK;
    return at_setting_put(store, AT_TEXT("id_limit"), store->id_limit_new);
}

enum at_status at_commit_begin(struct at_store *store) {
    enum at_status status = open_writer(store);
    if (status == AT_OK) status = at_statement_do(&store->writer, AT_SQL_BEGIN);
    if (status == AT_OK) status = reserve_ids(store);
    if (status != AT_OK) at_commit_undo(store, status);
    return status;
}

static void say_failure(struct at_store *store, enum at_status why) {
    atomic_fetch_add(&store->tallies.failed_commits, 1);
    if (store->is_failing) return;
    store->is_failing = true;
    const char *what = why == AT_FULL    ? "the disk is full: make room"
                       : why == AT_NOMEM ? "out of memory"
                                         : "the disk failed";
    at_log(&store->log, AT_LOG_ERROR, "store", "%s; nothing is written until it works again (%s)", what,
           store->writer.db ? sqlite3_errmsg(store->writer.db) : "no connection");
}

void at_commit_undo(struct at_store *store, enum at_status why) {
    if (at_status_is_failure(why)) say_failure(store, why);
    if (why == AT_FULL) at_checkpoint_call(store); /* a log that starts over needs no room for a while */
    if (!store->writer.db) return;
    if (!sqlite3_get_autocommit(store->writer.db) &&
        at_statement_do(&store->writer, AT_SQL_ROLLBACK) != AT_OK)
        store->writer.is_suspect = true;
    if (!sqlite3_get_autocommit(store->writer.db) || why == AT_IO) store->writer.is_suspect = true;
}

/* The frames of a commit whose sync failed lie whole behind the end of the write-ahead log, and a crash now
 * would find them: one more commit puts others in their place. If that fails too the disk is gone and will
 * not tell. */
static void overwrite_frames(struct at_store *store) {
    if (open_writer(store) != AT_OK) return;
    enum at_status status = at_statement_do(&store->writer, AT_SQL_BEGIN);
    if (status == AT_OK)
        status = at_setting_put(store, AT_TEXT("last_failed_commit_ms"), (uint64_t)at_clock_now(NULL));
    if (status == AT_OK) status = at_statement_do(&store->writer, AT_SQL_COMMIT);
    if (status != AT_OK) at_commit_undo(store, status);
}

enum at_status at_commit_end(struct at_store *store) {
    uint64_t began_ns = at_ticks_ns();
    enum at_status status = at_statement_do(&store->writer, AT_SQL_COMMIT);
    if (status != AT_OK) {
        at_commit_undo(store, status);
        if (status == AT_IO) overwrite_frames(store);
        return status;
    }
    store->id_limit = store->id_limit_new;
    atomic_store(&store->tallies.last_commit_us, (at_ticks_ns() - began_ns) / 1000);
    atomic_fetch_add(&store->tallies.commits, 1);
    if (store->is_failing) at_log(&store->log, AT_LOG_INFO, "store", "the disk works again");
    store->is_failing = false;
    return AT_OK;
}

/* ---- a unit ---- */

static bool is_stale_by_chance(struct at_store *store, const struct at_unit *unit) {
    if (!store->stale_per_mille || !unit->is_retriable) return false;
    store->stale_state += UINT64_C(0x9e3779b97f4a7c15);
    return at_mix64(store->stale_state) % 1000 < store->stale_per_mille;
}

enum at_status at_commit_examine(struct at_store *store, struct at_unit *unit, enum at_status *failure) {
    enum at_status status = AT_OK;
    if (is_stale_by_chance(store, unit)) return AT_STALE;
    if (unit->is_current && !unit->is_current(unit)) return AT_STALE;
    for (const struct at_expect *e = unit->expects; e && status == AT_OK; e = e->next)
        status = at_expect_check(store, e);
    if (at_status_is_failure(status)) *failure = status;
    return status;
}

void at_commit_refuse(struct at_store *store, enum at_lane_name lane, struct at_unit *unit,
                      enum at_status why) {
    atomic_fetch_add(&store->tallies.refused, 1);
    if (why == AT_STALE) atomic_fetch_add(&store->tallies.stale, 1);
    at_queue_free(&store->queue, lane, 1, unit->bytes);
    unit->status = why;
    unit->refuse(unit);
    at_queue_leave(&store->queue, lane, 1);
}

/* These fail alone at most by the database's failure, which takes the whole group with it. */
static bool is_safe(enum at_write_kind kind) {
    switch (kind) {
    case AT_WRITE_EVENT:
    case AT_WRITE_MOVE:
    case AT_WRITE_LINK:
    case AT_WRITE_UNLINK:
    case AT_WRITE_MERGE:
    case AT_WRITE_PROFILE:
    case AT_WRITE_PROFILE_GONE:
    case AT_WRITE_RHYTHM:
    case AT_WRITE_TIMELINE:
    case AT_WRITE_CURSOR:
    case AT_WRITE_STATE:
    case AT_WRITE_PRODUCT:
    case AT_WRITE_PRODUCT_STAT:
    case AT_WRITE_SETTING:
    case AT_WRITE_MEMBER:
    case AT_WRITE_MEMBER_GONE:
    case AT_WRITE_MEMBERS_MERGE:
    case AT_WRITE_DUE: return true;
    default: return false;
    }
}

static bool needs_savepoint(const struct at_unit *unit) {
    for (const struct at_write *write = unit->writes; write; write = write->next)
        if (!is_safe(write->kind)) return unit->writes->next != NULL;
    return false;
}

static enum at_status run_writes(struct at_store *store, struct at_unit *unit) {
    enum at_status status = AT_OK;
    uint64_t seq = unit->first_seq;
    for (struct at_write *write = unit->writes; write && status == AT_OK; write = write->next) {
        if (write->kind == AT_WRITE_EVENT) write->event.seq = seq++;
        status = at_write_run(store, write);
    }
    return status;
}

static enum at_status run_unit(struct at_store *store, struct at_unit *unit, enum at_status *failure) {
    enum at_status status = at_commit_examine(store, unit, failure);
    if (status != AT_OK) return status;
    bool is_saved = needs_savepoint(unit);
    if (is_saved) status = at_statement_do(&store->writer, AT_SQL_SAVE);
    if (status == AT_OK) status = run_writes(store, unit);
    if (is_saved && !at_status_is_failure(status)) {
        enum at_status back = status == AT_OK ? AT_OK : at_statement_do(&store->writer, AT_SQL_SAVE_BACK);
        if (back == AT_OK) back = at_statement_do(&store->writer, AT_SQL_SAVE_KEEP);
        if (back != AT_OK) *failure = status = back;
    }
    if (at_status_is_failure(status)) *failure = status;
    return status;
}

/* ---- a group of the front lane ---- */

struct group {
    struct at_unit *first, **end; /* accepted */
    size_t units, bytes;
    uint64_t events, last_seq;
};

static void accept_unit(struct group *group, struct at_unit *unit) {
    unit->next = NULL;
    *group->end = unit;
    group->end = &unit->next;
    group->units++;
    group->bytes += unit->bytes;
    group->events += unit->event_count;
}

static void answer_group(struct at_store *store, struct group *group, enum at_status status) {
    if (status == AT_OK) {
        at_queue_free(&store->queue, AT_LANE_FRONT, group->units, group->bytes);
        atomic_fetch_add(&store->tallies.units, group->units);
        atomic_fetch_add(&store->tallies.events, group->events);
    }
    for (struct at_unit *unit = group->first, *next; unit; unit = next) {
        next = unit->next; /* the callback may free it */
        if (status == AT_OK)
            unit->done(unit);
        else
            at_commit_refuse(store, AT_LANE_FRONT, unit, status);
    }
    /* after the callbacks: who reads it may rely on what they did */
    if (group->last_seq) atomic_store(&store->tallies.durable_seq, group->last_seq);
    if (status == AT_OK) at_queue_leave(&store->queue, AT_LANE_FRONT, group->units);
}

static void commit_group(struct at_store *store, struct at_unit **waiting) {
    struct group group = {.end = &group.first};
    enum at_status failure = at_commit_begin(store);
    for (size_t n = 0; *waiting && n < GROUP_UNITS && group.bytes < GROUP_BYTES; n++) {
        struct at_unit *unit = *waiting;
        *waiting = unit->next;
        if (unit->event_count) group.last_seq = unit->first_seq + unit->event_count - 1;
        if (failure != AT_OK) { /* it would be answered with the others in any case */
            accept_unit(&group, unit);
            continue;
        }
        enum at_status status = run_unit(store, unit, &failure);
        if (status == AT_OK || failure != AT_OK)
            accept_unit(&group, unit);
        else
            at_commit_refuse(store, AT_LANE_FRONT, unit, status);
        if (failure != AT_OK) at_commit_undo(store, failure);
    }
    if (failure == AT_OK) failure = at_commit_end(store);
    answer_group(store, &group, failure);
}

/* ---- the thread ---- */

/* At a stop: nothing of who was erased is left behind, or the next start goes on with it. */
static void finish_scrub(struct at_store *store) {
    bool is_done = false;
    enum at_status status = AT_OK;
    while (!is_done && status == AT_OK) {
        status = at_commit_begin(store);
        if (status != AT_OK) break;
        status = at_scrub_slice(store, &is_done);
        if (status == AT_OK)
            status = at_commit_end(store);
        else
            at_commit_undo(store, status);
    }
    uint64_t last = store->scrub_wanted;
    if (status != AT_OK || !last || !at_scrub_forget(store, AT_STORE_BUSY_MS)) return;
    status = at_commit_begin(store);
    if (status == AT_OK) status = at_scrub_finish(store, last);
    if (status != AT_OK || at_commit_end(store) != AT_OK)
        at_log(&store->log, AT_LOG_WARN, "store", "that the erased are scrubbed could not be noted");
}

void at_commit_loop(void *arg) {
    struct at_store *store = arg;
    struct at_work work = {.is_over = false};
    for (;;) {
        if (atomic_load(&store->scrub_cut)) store->is_sweeping = true; /* to note it */
        bool may_wait = !store->slicing.unit && !(store->is_sweeping && !store->is_failing);
        at_queue_take(&store->queue, &work, may_wait);
        if (work.is_over && !store->slicing.unit) break;
        if (work.lanes[AT_LANE_FRONT]) commit_group(store, &work.lanes[AT_LANE_FRONT]);
        if (store->slicing.unit || work.lanes[AT_LANE_BEHIND])
            at_behind_step(store, &work);
        else if (store->is_sweeping && !store->is_failing)
            at_sweep_step(store);
        at_checkpoint_step(store);
    }
    finish_scrub(store);
    if (open_writer(store) == AT_OK) { /* a clean stop spends no ids */
        enum at_status status = at_setting_put(store, AT_TEXT("id_limit"), atomic_load(&store->next_id));
        if (status != AT_OK) at_log(&store->log, AT_LOG_WARN, "store", "the stop could not be noted");
    }
}
