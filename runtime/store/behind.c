/* SPDX-License-Identifier: Apache-2.0
 *
 * The lane behind, on the commit thread: one unit at a time. What may be done twice (profiles with their
 * applied_seq, the timeline, the parts of a run that is not listed yet) goes ahead in transactions of a few
 * milliseconds that need no sync of their own; the rest of the unit follows in one, and its sync carries all.
 * So a unit that is refused or cut off may have left rows that the next fold writes again; what counts or
 * moves a cursor never.
 */
#include "store/internal.h"

#include <string.h>
#include "base/time.h"

#define SLICE_NS      (UINT64_C(2) * 1000 * 1000)
#define AHEAD_WRITES  64 /* units of fewer writes need no slices */
#define SCRUB_WAIT_MS 50 /* at most so long commits wait for readers */
#define SWEEP_PARTS   64
#define SWEEP_ROWS    256

/* ---- parts of a run ---- */

static bool is_ascending(const struct at_write *write) {
    for (size_t i = 1; i < write->messages.count; i++)
        if (write->messages.rows[i - 1].key > write->messages.rows[i].key) return false;
    return true;
}

static struct at_run *start_run(struct at_store *store, const struct at_write *write) {
    struct at_slicing *slicing = &store->slicing;
    struct at_run *run =
        at_run_new(&store->runs, slicing->run, write->messages.sealed_ms, write->messages.count);
    if (!run) return NULL;
    run->next = slicing->staged;
    slicing->staged = run;
    store->runs.next_id = run->id + 1; /* spent even if the unit fails: its parts may stay a while */
    return run;
}

/* Up to AT_PART_ROWS rows from slicing->row on. Of rows with one key the last counts. */
static enum at_status write_part(struct at_store *store, const struct at_write *write) {
    struct at_slicing *slicing = &store->slicing;
    unsigned char packed[AT_PART_ROWS * AT_ROW_BYTES];
    const struct at_message_row *rows = write->messages.rows;
    size_t count = 0, row = slicing->row;
    uint64_t first_key = rows[row].key;
    for (; row < write->messages.count && count < AT_PART_ROWS; row++) {
        if (row + 1 < write->messages.count && rows[row + 1].key == rows[row].key) continue;
        at_row_pack(packed + count++ * AT_ROW_BYTES, &rows[row]);
        at_run_add(slicing->staged, rows[row].key);
    }
    enum at_status status = at_message_part_put(store, slicing->run, packed, count, first_key);
    if (status == AT_OK) slicing->row = row;
    return status;
}

/* All parts, or those until the deadline (0: none). The pass goes on to the next write when the run is whole.
 */
static enum at_status write_parts(struct at_store *store, const struct at_write *write,
                                  uint64_t deadline_ns) {
    struct at_slicing *slicing = &store->slicing;
    enum at_status status = AT_OK;
    if (slicing->row == 0) {
        if (!is_ascending(write)) return AT_INVALID;
        if (!start_run(store, write)) return AT_NOMEM;
    }
    while (slicing->row < write->messages.count && status == AT_OK) {
        status = write_part(store, write);
        if (deadline_ns && at_ticks_ns() > deadline_ns) break;
    }
    return status;
}

/* ---- the unit ---- */

static bool may_go_ahead(enum at_write_kind kind) {
    return kind == AT_WRITE_PROFILE || kind == AT_WRITE_TIMELINE || kind == AT_WRITE_MESSAGES;
}

/* A merge moves identifiers and profiles together or not at all. */
static bool must_be_whole(enum at_write_kind kind) {
    return kind == AT_WRITE_MOVE || kind == AT_WRITE_PROFILE_GONE || kind == AT_WRITE_IDENTIFIER ||
           kind == AT_WRITE_CLAIM || kind == AT_WRITE_ERASE || kind == AT_WRITE_EVENT_GONE;
}

static bool wants_slices(const struct at_unit *unit) {
    size_t count = 0;
    if (unit->expects) return false;
    for (const struct at_write *write = unit->writes; write; write = write->next) {
        if (must_be_whole(write->kind)) return false;
        if (write->kind == AT_WRITE_MESSAGES)
            count += write->messages.count / AT_PART_ROWS;
        else if (may_go_ahead(write->kind))
            count++;
    }
    return count >= AHEAD_WRITES;
}

static void begin_pass(struct at_slicing *slicing, bool is_ahead) {
    slicing->at = slicing->unit->writes;
    slicing->row = 0;
    slicing->run = slicing->first_run;
    slicing->is_ahead = is_ahead;
}

static void step_write(struct at_slicing *slicing) {
    if (slicing->at->kind == AT_WRITE_MESSAGES && slicing->at->messages.count) slicing->run++;
    slicing->at = slicing->at->next;
    slicing->row = 0;
}

static void finish_unit(struct at_store *store, enum at_status status) {
    struct at_slicing *slicing = &store->slicing;
    struct at_unit *unit = slicing->unit;
    while (slicing->staged) {
        struct at_run *next = slicing->staged->next;
        at_run_free(&store->runs, slicing->staged);
        slicing->staged = next;
    }
    if (status != AT_OK && slicing->was_ahead)
        store->is_sweeping = true; /* parts of runs that are not listed */
    memset(slicing, 0, sizeof(*slicing));
    slicing->expire_ms = INT64_MIN;
    if (status != AT_OK) {
        at_commit_refuse(store, AT_LANE_BEHIND, unit, status);
        return;
    }
    atomic_fetch_add(&store->tallies.units, 1);
    at_queue_free(&store->queue, AT_LANE_BEHIND, 1, unit->bytes);
    unit->done(unit);
    at_queue_leave(&store->queue, AT_LANE_BEHIND, 1);
}

/* False: it was refused. */
static bool start_unit(struct at_store *store, struct at_unit *unit) {
    struct at_slicing *slicing = &store->slicing;
    slicing->unit = unit;
    slicing->first_run = store->runs.next_id;
    slicing->expire_ms = INT64_MIN;
    if (!wants_slices(unit)) return true;
    enum at_status failure = AT_OK, status = at_commit_examine(store, unit, &failure);
    if (status != AT_OK) {
        finish_unit(store, status);
        return false;
    }
    slicing->was_ahead = true;
    begin_pass(slicing, true);
    return true;
}

static enum at_status run_ahead(struct at_store *store) {
    struct at_slicing *slicing = &store->slicing;
    uint64_t deadline_ns = at_ticks_ns() + SLICE_NS;
    enum at_status status = AT_OK;
    while (slicing->at && status == AT_OK && at_ticks_ns() < deadline_ns) {
        const struct at_write *write = slicing->at;
        if (write->kind == AT_WRITE_MESSAGES && write->messages.count) {
            status = write_parts(store, write, deadline_ns);
            if (slicing->row < write->messages.count) continue;
        } else if (may_go_ahead(write->kind)) {
            status = at_write_run(store, write);
        }
        step_write(slicing);
    }
    return status;
}

/* Without a sync: the unit's last transaction brings it, and until then nobody was told anything. */
static void slice_ahead(struct at_store *store) {
    enum at_status status = AT_OK; /* not set: the slice is synced, which costs time only */
    if (store->writer.db) status = at_connection_exec(&store->writer, "PRAGMA synchronous = NORMAL", NULL);
    status = at_commit_begin(store);
    if (status == AT_OK) {
        status = run_ahead(store);
        if (status != AT_OK)
            at_commit_undo(store, status);
        else
            status = at_commit_end(store);
    }
    if (store->writer.db && at_connection_exec(&store->writer, "PRAGMA synchronous = FULL", NULL) != AT_OK)
        store->writer.is_suspect = true; /* never a group without its sync */
    if (status != AT_OK) finish_unit(store, status);
}

static enum at_status write_expire(struct at_store *store, const struct at_write *write) {
    enum at_status status;
    int64_t before_ms = (int64_t)write->number;
    if (before_ms > store->slicing.expire_ms) store->slicing.expire_ms = before_ms;
    store->is_sweeping = true;
    sqlite3_stmt *statement = at_statement_take(&store->writer, AT_SQL_RUN_EXPIRE, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, write->number);
    return at_statement_run(&store->writer, AT_SQL_RUN_EXPIRE, statement);
}

static enum at_status run_rest(struct at_store *store) {
    struct at_slicing *slicing = &store->slicing;
    enum at_status status = AT_OK;
    for (; slicing->at && status == AT_OK; step_write(slicing)) {
        const struct at_write *write = slicing->at;
        if (write->kind == AT_WRITE_MESSAGES) {
            if (!write->messages.count) continue;
            if (!slicing->was_ahead) status = write_parts(store, write, 0);
            if (status == AT_OK)
                status =
                    at_message_run_put(store, slicing->run, write->messages.sealed_ms, write->messages.count);
        } else if (write->kind == AT_WRITE_MESSAGES_EXPIRE) {
            status = write_expire(store, write);
        } else if (!slicing->was_ahead || !may_go_ahead(write->kind)) {
            status = at_write_run(store, write);
        }
    }
    return status;
}

/* The filters must know the run before its owner forgets the keys, and the owner is told by done. */
static enum at_status end_unit(struct at_store *store) {
    struct at_slicing *slicing = &store->slicing;
    struct at_run_table *table = NULL;
    bool has_runs = slicing->staged || slicing->expire_ms != INT64_MIN;
    if (has_runs) {
        table = at_runs_prepare(&store->runs, slicing->staged, slicing->expire_ms);
        if (!table) {
            at_commit_undo(store, AT_NOMEM);
            return AT_NOMEM;
        }
    }
    enum at_status status = at_commit_end(store);
    if (status != AT_OK) {
        free(table);
        return status;
    }
    if (has_runs) {
        slicing->staged = NULL; /* the table's now */
        at_runs_publish(&store->runs, table);
    }
    return AT_OK;
}

static void commit_rest(struct at_store *store) {
    struct at_slicing *slicing = &store->slicing;
    enum at_status failure = AT_OK, status = at_commit_begin(store);
    if (status == AT_OK) {
        if (!slicing->was_ahead) status = at_commit_examine(store, slicing->unit, &failure);
        begin_pass(slicing, false);
        if (status == AT_OK) status = run_rest(store);
        if (status != AT_OK)
            at_commit_undo(store, status);
        else
            status = end_unit(store);
    }
    finish_unit(store, status);
}

void at_behind_step(struct at_store *store, struct at_work *work) {
    struct at_slicing *slicing = &store->slicing;
    if (!slicing->unit) {
        struct at_unit *unit = work->lanes[AT_LANE_BEHIND];
        work->lanes[AT_LANE_BEHIND] = unit->next;
        if (!start_unit(store, unit)) return;
    }
    if (slicing->is_ahead && slicing->at)
        slice_ahead(store);
    else
        commit_rest(store);
}

/* ---- sweeping ---- */

static enum at_status sweep_rows(struct at_store *store, enum at_sql which, uint64_t what, int rows,
                                 int *swept) {
    enum at_status status;
    sqlite3_stmt *statement = at_statement_take(&store->writer, which, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, what);
    sqlite3_bind_int(statement, 2, rows);
    status = at_statement_run(&store->writer, which, statement);
    *swept += sqlite3_changes(store->writer.db);
    return status;
}

/* The first run beyond sweep_run that has parts but is not listed. AT_NOTFOUND: none. */
static enum at_status find_orphan(struct at_store *store, uint64_t *run_out) {
    enum at_status status;
    for (;;) {
        uint64_t listed;
        sqlite3_stmt *statement = at_statement_take(&store->writer, AT_SQL_PART_NEXT_RUN, &status);
        if (!statement) return status;
        at_bind_number(statement, 1, store->sweep_run);
        status = at_statement_number(&store->writer, AT_SQL_PART_NEXT_RUN, statement, run_out);
        if (status != AT_OK) return status;
        statement = at_statement_take(&store->writer, AT_SQL_RUN_GET, &status);
        if (!statement) return status;
        at_bind_number(statement, 1, *run_out);
        status = at_statement_number(&store->writer, AT_SQL_RUN_GET, statement, &listed);
        if (status == AT_NOTFOUND) return AT_OK;
        if (status != AT_OK) return status;
        store->sweep_run = *run_out;
    }
}

static enum at_status sweep_expired(struct at_store *store, int *swept) {
    uint64_t run;
    enum at_status status = sweep_rows(store, AT_SQL_DECISION_SWEEP,
                                       (uint64_t)atomic_load(&store->decisions_from_ms), SWEEP_ROWS, swept);
    if (status != AT_OK || *swept) return status;
    status = find_orphan(store, &run);
    if (status == AT_OK) return sweep_rows(store, AT_SQL_PART_SWEEP, run, SWEEP_PARTS, swept);
    return status == AT_NOTFOUND ? AT_OK : status;
}

void at_sweep_step(struct at_store *store) {
    int swept = 0;
    bool is_scrubbed = false;
    uint64_t cut = atomic_exchange(&store->scrub_cut, 0);
    if (cut && !at_scrub_forget(store, SCRUB_WAIT_MS)) {
        at_checkpoint_cut(store, cut);
        cut = 0;
    }
    enum at_status status = at_commit_begin(store);
    if (status != AT_OK) return;
    if (cut) status = at_scrub_finish(store, cut);
    if (status == AT_OK) status = at_scrub_slice(store, &is_scrubbed);
    if (status == AT_OK && is_scrubbed) status = sweep_expired(store, &swept);
    swept += !is_scrubbed;
    if (status != AT_OK)
        at_commit_undo(store, status);
    else if (at_commit_end(store) == AT_OK && swept == 0) {
        store->is_sweeping = false;
        store->sweep_run = 0;
        if (store->scrub_wanted) at_checkpoint_cut(store, store->scrub_wanted);
        store->scrub_wanted = 0;
    }
}
