/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of store/ share, and its tests: the engine's state, who may touch which part, and the few
 * functions between the files. Threads: one commits (writer), one keeps the write-ahead log short
 * (keeper), some read. A connection belongs to one thread at a time.
 */
#ifndef AT_STORE_INTERNAL_H
#define AT_STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sqlite3.h>
#include "store/sql.h"
#include "base/time.h"
#include "store/store.h"

#define AT_STORE_DATABASE       "attune.db"
#define AT_STORE_ERASURES       "erasures.log" /* shop/ writes and reads these two; a restore leaves them alone */
#define AT_STORE_ERASURE_KEY    "erasure.key"
#define AT_STORE_PAGE_BYTES     8192
#define AT_STORE_APPLICATION_ID 0x6174746e /* "attn" */
#define AT_STORE_BUSY_MS        10000

/* ---- connection.c ---- */
struct at_connection {
    sqlite3 *db; /* NULL: closed */
    sqlite3_stmt *statements[AT_SQL_COUNT];
    bool is_suspect; /* an I/O error came through it: opened again before the next use */
};
struct at_place { /* where a connection goes and how large its cache may be */
    const char *path, *vfs;
    size_t cache_bytes;
    bool is_reader;
};
enum at_status at_connection_open(struct at_connection *connection, const struct at_place *place,
                                  struct at_error *err) AT_MUST_CHECK;
void at_connection_close(struct at_connection *connection);
enum at_status at_connection_exec(struct at_connection *connection, const char *sql,
                                  struct at_error *err) AT_MUST_CHECK;
/* The first column of the first row of a plain query. AT_NOTFOUND: no row. */
enum at_status at_connection_number(struct at_connection *connection, const char *sql, int64_t *out);
enum at_status at_sql_status(int code);
/* The kept statement, or a fresh one while the kept one is stepping further up. NULL: *status says why. */
sqlite3_stmt *at_statement_take(struct at_connection *connection, enum at_sql which, enum at_status *status);
void at_statement_give(struct at_connection *connection, enum at_sql which, sqlite3_stmt *statement);
/* Step a statement that gives no rows, and give it back. */
enum at_status at_statement_run(struct at_connection *connection, enum at_sql which, sqlite3_stmt *statement);
/* Take and run one without parameters. */
enum at_status at_statement_do(struct at_connection *connection, enum at_sql which);
/* Step a statement for one number and give it back. A NULL is 0. AT_NOTFOUND: no row. */
enum at_status at_statement_number(struct at_connection *connection, enum at_sql which,
                                   sqlite3_stmt *statement, uint64_t *out);
static inline void at_bind_number(sqlite3_stmt *statement, int index, uint64_t number) {
    sqlite3_bind_int64(statement, index, (int64_t)number);
}
/* The text must live until the statement is given back. */
static inline void at_bind_text(sqlite3_stmt *statement, int index, struct at_text text) {
    sqlite3_bind_text64(statement, index, text.data ? text.data : "", text.length, SQLITE_STATIC,
                        SQLITE_UTF8);
}
static inline struct at_text at_column_text(sqlite3_stmt *statement, int index) {
    const char *data = (const char *)sqlite3_column_text(statement, index);
    return (struct at_text){data ? data : "", data ? (size_t)sqlite3_column_bytes(statement, index) : 0};
}
static inline uint64_t at_column_number(sqlite3_stmt *statement, int index) {
    return (uint64_t)sqlite3_column_int64(statement, index);
}

/* ---- schema.c ---- */
/* steps[n] makes schema n + 1 out of schema n; step_count is the schema of this program. */
struct at_schema {
    const char *const *steps;
    uint32_t step_count;
};
extern const struct at_schema at_schema_current;
/* Bring the database to the schema: a new one is made, an older one copied to PATH.schema-N first. */
enum at_status at_schema_bring(struct at_connection *connection, const struct at_place *place,
                               const struct at_schema *schema, const struct at_log *log,
                               struct at_error *err) AT_MUST_CHECK;

/* ---- folder.c ---- */
/* "cannot open PATH: …", by errno: AT_FULL, or AT_IO. */
enum at_status at_fail_file(struct at_error *err, const char *what, const char *path);
/* Make the folder if missing and take its lock. */
enum at_status at_folder_lock(const char *directory, int *fd_out, struct at_error *err) AT_MUST_CHECK;
void at_folder_unlock(int fd);
/* Make the file if missing, and 0600 in any case; its companions inherit the mode. Not of a database that is
 * open: closing a file gives up SQLite's locks on it. */
enum at_status at_folder_touch(const char *path, struct at_error *err) AT_MUST_CHECK;
/* 0600 whatever the umask; as root: the folder's owner. */
enum at_status at_folder_private(int fd, const char *path, struct at_error *err) AT_MUST_CHECK;
/* Make names in the path's folder durable. */
void at_folder_sync(const char *path);
bool at_folder_owns(const char *name); /* names that the folder uses itself, and those that begin with them */
/* 0700 for a folder in which only attune's files lie, 0600 for those; a folder that others share is told of.
 */
void at_folder_tighten(const char *directory, const struct at_log *log);

/* ---- restore.c ---- */
/* Under the folder's lock, before the database is opened: finishes a restore that was decided and cut off.
 * kept: as in at_restore_result; log may be NULL. */
enum at_status at_restore_finish(const char *directory, const struct at_log *log, char kept[128],
                                 struct at_error *err) AT_MUST_CHECK;

/* ---- queue.c ---- */
enum at_lane_name { AT_LANE_FRONT, AT_LANE_BEHIND, AT_LANE_COUNT };
struct at_lane {
    struct at_unit *first, *last; /* waiting */
    size_t unit_count, bytes;     /* waiting or being committed */
    size_t max_bytes;
    uint64_t entered_count, left_count; /* ever; drain compares them */
};
struct at_queue {
    pthread_mutex_t lock; /* guards all but next_seq's reads */
    pthread_cond_t filled, left;
    struct at_lane lanes[AT_LANE_COUNT];
    struct at_account *account;
    _Atomic uint64_t next_seq;
    uint32_t turns;  /* of callers that have more to come: see at_store_turn_begin */
    uint32_t drains; /* callers that wait for all */
    bool is_closing, is_poked, is_asleep;
};
/* What the commit thread holds of a lane: taken whole, committed in groups. */
struct at_work {
    struct at_unit *lanes[AT_LANE_COUNT];
    bool is_over; /* closing, and nothing is left */
};
enum at_status at_queue_init(struct at_queue *queue, struct at_account *account);
void at_queue_clear(struct at_queue *queue);
/* Add what has come to work's lanes that are empty; waits only if all are and may_wait. */
void at_queue_take(struct at_queue *queue, struct at_work *work, bool may_wait);
/* Units are answered: free their room (before the callbacks), then count them out (after). */
void at_queue_free(struct at_queue *queue, enum at_lane_name lane, size_t units, size_t bytes);
void at_queue_leave(struct at_queue *queue, enum at_lane_name lane, size_t units);
void at_queue_poke(struct at_queue *queue);
void at_queue_close(struct at_queue *queue);
void at_queue_drain(struct at_queue *queue);

/* ---- runs.c: which keys the sealed runs may hold ---- */
struct at_run {
    struct at_run *next; /* staged or retired */
    uint64_t id;
    int64_t sealed_ms;
    size_t block_count; /* 0: no memory for a filter, the run may hold anything */
    size_t drawn_bytes;
    uint64_t *blocks; /* eight words each */
};
struct at_run_table {
    struct at_run_table *next; /* retired */
    size_t count;
    struct at_run *items[]; /* oldest first */
};
struct at_runs {
    _Atomic(struct at_run_table *) table; /* immutable once published */
    _Atomic uint64_t visitors;            /* readers inside a table; the retired are freed when none is */
    struct at_run_table *retired_tables;  /* commit thread only, as what follows */
    struct at_run *retired;
    uint64_t next_id;
    struct at_account *account;
};
void at_runs_clear(struct at_runs *runs);
enum at_status at_runs_load(struct at_runs *runs, struct at_connection *connection);
struct at_run *at_run_new(struct at_runs *runs, uint64_t id, int64_t sealed_ms, size_t key_count);
void at_run_free(struct at_runs *runs, struct at_run *run);
void at_run_add(struct at_run *run, uint64_t key);
/* A table with the list's runs added and those sealed before the moment gone; NULL: out of memory. */
struct at_run_table *at_runs_prepare(struct at_runs *runs, const struct at_run *added, int64_t expire_ms);
void at_runs_publish(struct at_runs *runs, struct at_run_table *table);
/* The newest run with an id below `below` that may hold the key; 0: none. Any thread, wait-free. */
uint64_t at_runs_next(struct at_runs *runs, uint64_t key, uint64_t below);

/* Rows are kept in parts of a run: keys ascending, three little-endian words a row. */
#define AT_PART_ROWS 80 /* a part stays on its B-tree page of 8 KiB */
#define AT_ROW_BYTES 24
void at_row_pack(unsigned char *out, const struct at_message_row *row);
void at_row_unpack(const unsigned char *in, struct at_message_row *row);
/* SQLite's integers are signed: this keeps the order of the keys. */
static inline uint64_t at_key_order(uint64_t key) {
    return key ^ (UINT64_C(1) << 63);
}

/* ---- reader.c ---- */
struct at_reader {
    struct at_store *store;
    struct at_read_queue *reads; /* it serves */
    struct at_connection connection;
    pthread_t thread;
    bool has_thread, is_slow;
};
struct at_read_queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct at_read *first, *last;
    bool is_closing;
};

struct at_store_tallies {
    _Atomic uint64_t commits, units, events, refused, stale, failed_commits, checkpoints, last_commit_us,
        durable_seq;
    _Atomic size_t wal_bytes;
    _Atomic uint64_t erasures_open;
};

/* A unit of the lane behind that is under way: what can be repeated goes ahead in slices of its own
 * transactions, the rest follows in one. */
struct at_slicing {
    struct at_unit *unit;      /* NULL: none */
    const struct at_write *at; /* next write of the pass */
    size_t row;                /* next row of its run */
    uint64_t first_run, run;   /* ids of the unit's first run, of the pass's next */
    struct at_run *staged;     /* filters under way, newest first */
    int64_t expire_ms;         /* runs sealed before go when the unit is done; INT64_MIN: none */
    bool is_ahead;             /* the pass is the one ahead */
    bool was_ahead;            /* what can be repeated is done */
};

struct at_store {
    char *directory, *path, *vfs; /* vfs NULL: the default */
    struct at_ledger own_ledger;  /* when the caller gave none */
    struct at_ledger *ledger;
    struct at_log log;
    size_t cache_bytes; /* drawn from AT_ACCOUNT_STORE */
    int lock_fd;

    struct at_queue queue;
    _Atomic uint64_t next_id;

    /* the commit thread's */
    pthread_t commit_thread;
    bool has_commit_thread;
    struct at_connection writer;
    struct at_slicing slicing;
    uint32_t stale_per_mille;
    uint64_t stale_state;
    uint64_t id_limit,
        id_limit_new;      /* durable: ids below are spent after a restart; what this transaction sets */
    uint64_t sweep_run;    /* runs up to here are known to be listed */
    bool is_sweeping;      /* parts of dropped runs or old decisions are left to delete */
    bool is_failing;       /* said so in the log already */
    size_t wal_mark_bytes; /* call the keeper beyond */
    size_t log_file_bytes; /* how long the log's file is, at most */
    _Atomic int64_t decisions_from_ms; /* older ones are gone for readers */
    uint64_t scrub_wanted;          /* the rows of erasures up to here are gone, the files not yet; 0: none */
    atomic_bool is_copy_told;       /* that a copy of the database cannot be removed; either thread */
    _Atomic uint64_t scrub_cutting; /* asked of the keeper */
    _Atomic uint64_t scrub_cut;     /* done by it; the commit thread notes it */

    struct at_connection keeper; /* the keeper thread's */
    pthread_t keeper_thread;
    bool has_keeper_thread;
    pthread_mutex_t keeper_lock;
    pthread_cond_t keeper_called;
    bool is_keeper_closing, is_checkpoint_due;
    _Atomic bool is_finish_due; /* the keeper did the bulk; the writer does the rest between two groups */
    _Atomic int log_hold;       /* enum at_log_hold */

    pthread_mutex_t backup_lock; /* guards the three below */
    bool is_backing_up, ends_backups;
    sqlite3 *checking; /* the copy while it is read again: to be interrupted */

    struct at_runs runs;
    struct at_read_queue reads, slow_reads;
    struct at_reader *readers; /* reader_count, and one for the slow behind them */
    uint32_t reader_count;
    struct at_reader spare;
    pthread_mutex_t spare_lock;

    struct at_store_tallies tallies;
};

/* ---- commit.c, behind.c: the commit thread ---- */
void at_commit_loop(void *store);
enum at_status at_commit_begin(struct at_store *store) AT_MUST_CHECK;
/* On failure nothing of the transaction is left. */
enum at_status at_commit_end(struct at_store *store) AT_MUST_CHECK;
void at_commit_undo(struct at_store *store, enum at_status why);
/* AT_OK, or the unit's own refusal; the database's failures come back in *failure. */
enum at_status at_commit_examine(struct at_store *store, struct at_unit *unit, enum at_status *failure);
void at_commit_refuse(struct at_store *store, enum at_lane_name lane, struct at_unit *unit,
                      enum at_status why);
bool at_status_is_failure(enum at_status status); /* of the database, not of one unit */
/* One slice of the unit under way (taken from work if none is). */
void at_behind_step(struct at_store *store, struct at_work *work);
/* One slice of deleting what has expired. */
void at_sweep_step(struct at_store *store);
struct at_place at_store_place(const struct at_store *store, bool is_reader);

/* ---- write.c: inside the commit thread's transaction ---- */
enum at_status at_write_run(struct at_store *store, const struct at_write *write);
enum at_status at_expect_check(struct at_store *store, const struct at_expect *expect);
sqlite3_stmt *at_writer_take(struct at_store *store, enum at_sql which, enum at_status *status);
/* A statement of one number, or of two. */
enum at_status at_writer_numbers(struct at_store *store, enum at_sql which, uint64_t a, const uint64_t *b);
enum at_status at_setting_put(struct at_store *store, struct at_text name, uint64_t number);
/* On a database that no store has open. */
enum at_status at_setting_into(struct at_connection *connection, struct at_text name, struct at_text text);
enum at_status at_message_part_put(struct at_store *store, uint64_t run, const unsigned char *rows,
                                   size_t count, uint64_t first_key);
enum at_status at_message_run_put(struct at_store *store, uint64_t run, int64_t sealed_ms, size_t key_count);

/* ---- personal.c: what is whose ---- */
struct at_table {
    const char *name,
        *select;       /* select: what of it is of people, ?1 a JSON array of their ids; NULL: nothing */
    const char *json;  /* its columns that hold JSON */
    const char *stays; /* why its rows outlive an erasure; NULL: they do not */
};
extern const struct at_table at_tables[]; /* every table; name NULL ends it */

/* ---- clean_vfs.c ---- */
/* The name of a VFS on top of that one (NULL: the default), which leaves no remains in pages; NULL: there is
 * no such one, or no memory. */
const char *at_clean_vfs(const char *base_name);

/* ---- scrub.c: inside the commit thread's transaction ---- */
enum at_status at_write_erase(struct at_store *store, const struct at_write *write);
enum at_status at_write_erase_counted(struct at_store *store, const struct at_write *write);
enum at_status at_write_event_gone(struct at_store *store, const struct at_write *write);

/* ---- write_privacy.c: likewise ---- */
enum at_status at_write_money(struct at_store *store, const struct at_write *write);
enum at_status at_write_request(struct at_store *store, const struct at_write *write);
enum at_status at_write_access(struct at_store *store, const struct at_write *write);
enum at_status at_write_access_expire(struct at_store *store, const struct at_write *write);
/* One slice of the rows; is_done: none are left, and scrub_wanted says whether the files hold some yet. */
enum at_status at_scrub_slice(struct at_store *store, bool *is_done);
/* Outside a transaction: everything goes into the database, the write-ahead log is cut to nothing. false:
 * somebody reads, or the disk fails; try again. */
bool at_scrub_cut(struct at_store *store, struct at_connection *connection, int wait_ms);
/* Cuts once more, with the writer, and forgets the pages it has in memory: remains in them would be written
 * with the next change. */
bool at_scrub_forget(struct at_store *store, int wait_ms);
enum at_status at_scrub_finish(struct at_store *store, uint64_t last); /* noted in the database */

/* ---- checkpoint.c ---- */
/* Have the keeper cut the log for erasures up to there: then scrub_cut says so. */
void at_checkpoint_cut(struct at_store *store, uint64_t last);
#define AT_STORE_LOG_BOUND_BYTES                                                                             \
    ((size_t)256 << 20) /* what the write-ahead log keeps to, but for a backup                               \
                         */
enum at_log_hold { AT_LOG_FREE, AT_LOG_HELD, AT_LOG_CATCHING_UP };
/* A backup's snapshot: what lies behind it cannot be copied, and nobody tries until it is given back. Then
 * the keeper catches up, and only when it has does the commit thread lend a hand again: the log may be as
 * long as the database, seconds of work. */
void at_checkpoint_hold(struct at_store *store);
/* By the holder, its snapshot given back; connection: its own, may be closed. Waits until the keeper has
 * caught up. */
void at_checkpoint_release(struct at_store *store, struct at_connection *connection);
void at_checkpoint_call(struct at_store *store);  /* have the keeper copy what it can, now */
void at_checkpoint_watch(struct at_store *store); /* after each opening of the writer */
void at_checkpoint_step(struct at_store *store);  /* on the commit thread, between transactions */
void at_keeper_loop(void *store);
void at_keeper_close(struct at_store *store);

/* ---- whole.c: whether a file may stand in a database's place ---- */
struct at_whole {
    uint64_t bytes, events;
    int64_t schema, moment_ms; /* see at_restore_result.from_ms */
};
/* Nobody else may have the file open for writing: it is read without locks, and nothing is made beside it. */
enum at_status at_whole_open(struct at_connection *connection, const char *path, const char *vfs,
                             struct at_error *err) AT_MUST_CHECK;
/* Let it be one file, without a write-ahead log; while nobody has it open. path: seen from the folder's
 * descriptor. */
enum at_status at_whole_plain(int folder, const char *path, struct at_error *err) AT_MUST_CHECK;
/* A first look: attune's, of a schema that this program reads. name: what messages call it. AT_UNPROCESSABLE:
 * what is wrong; AT_UNSUPPORTED: newer, or not attune's. */
enum at_status at_whole_kind(struct at_connection *connection, const char *name,
                             struct at_error *err) AT_MUST_CHECK;
/* Reads all of it. AT_STOPPED: interrupted. */
enum at_status at_whole_read(struct at_connection *connection, const char *name, struct at_whole *out,
                             struct at_error *err) AT_MUST_CHECK;
/* The setting in which a backup notes its moment. */
#define AT_STORE_MOMENT "backed_up"

/* ---- reader.c ---- */
void at_reads_init(struct at_read_queue *reads);
void at_reads_clear(struct at_read_queue *reads);
enum at_status at_readers_open(struct at_store *store, struct at_error *err) AT_MUST_CHECK;
void at_readers_close(struct at_store *store);
/* A kept statement, NULL: *status says why; and back again, with what the last step (code) and the copies of
 * its row came to: AT_NOTFOUND, no row. */
sqlite3_stmt *at_reader_take(struct at_reader *reader, enum at_sql which, enum at_status *status);
enum at_status at_reader_end(struct at_reader *reader, enum at_sql which, sqlite3_stmt *statement, int code,
                             bool copied);
bool at_copy_text(struct at_arena *arena, sqlite3_stmt *statement, int column, struct at_text *out);
/* Passes the status on; after an I/O error the connection is opened again before the next read. */
enum at_status at_reader_failed(struct at_reader *reader, enum at_status status);

#endif
