/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and closing a store, its id series, its counts. Order of opening: folder lock, schema, what the
 * commit thread must know (next sequence, next id, runs), threads; closing goes backwards, and both share one
 * way out.
 */
#include "store/internal.h"

#include <stdio.h>
#include <string.h>
#include "loop/thread.h"

#define CACHE_SHARE     3 /* this part of the account goes to SQLite's page caches, the rest to the filters */
#define CACHE_MIN_BYTES ((size_t)256 << 10)

/* ---- units ---- */

struct at_write *at_unit_write(struct at_unit *unit, struct at_arena *arena, enum at_write_kind kind) {
    struct at_write *write = at_arena_zalloc(arena, sizeof(*write));
    if (!write) return NULL;
    write->kind = kind;
    if (unit->last_write)
        unit->last_write->next = write;
    else
        unit->writes = write;
    unit->last_write = write;
    if (kind == AT_WRITE_EVENT) unit->event_count++;
    return write;
}

struct at_expect *at_unit_expect(struct at_unit *unit, struct at_arena *arena, enum at_expect_kind kind) {
    struct at_expect *expect = at_arena_zalloc(arena, sizeof(*expect));
    if (!expect) return NULL;
    expect->kind = kind;
    expect->next = unit->expects;
    unit->expects = expect;
    return expect;
}

/* ---- what is there ---- */

static enum at_status read_last(struct at_store *store, enum at_sql which, uint64_t *last) {
    enum at_status status;
    uint64_t number = 0;
    sqlite3_stmt *statement = at_statement_take(&store->writer, which, &status);
    if (statement) status = at_statement_number(&store->writer, which, statement, &number);
    if (status == AT_NOTFOUND) status = AT_OK;
    if (number > *last) *last = number;
    return status;
}

static enum at_status read_setting(struct at_store *store, const char *name, uint64_t *out) {
    enum at_status status;
    sqlite3_stmt *statement = at_statement_take(&store->writer, AT_SQL_SETTING_GET, &status);
    if (!statement) return status;
    *out = 0;
    at_bind_text(statement, 1, at_text_of(name));
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) *out = (uint64_t)sqlite3_column_int64(statement, 0);
    at_statement_give(&store->writer, AT_SQL_SETTING_GET, statement);
    return at_sql_status(code);
}

static enum at_status read_series(struct at_store *store) {
    uint64_t last_seq = 0, last_id = 0, id_limit = 0, decisions_from = 0, kept_seq = 0, erasures = 0;
    enum at_status status = read_last(store, AT_SQL_EVENT_LAST, &last_seq);
    if (status == AT_OK) status = read_last(store, AT_SQL_IDENTIFIER_LAST, &last_id);
    if (status == AT_OK) status = read_last(store, AT_SQL_PERSON_LAST, &last_id);
    if (status == AT_OK) status = read_setting(store, "id_limit", &id_limit);
    if (status == AT_OK) status = read_setting(store, "decisions_from_ms", &decisions_from);
    if (status == AT_OK) status = read_setting(store, "last_seq", &kept_seq);
    if (status == AT_OK) status = read_last(store, AT_SQL_ERASURE_OPEN, &erasures);
    if (status == AT_OK) status = at_runs_load(&store->runs, &store->writer);
    if (status != AT_OK) return status;
    if (kept_seq > last_seq) last_seq = kept_seq; /* the last ones were erased */
    atomic_store(&store->tallies.erasures_open, erasures);
    atomic_store(&store->queue.next_seq, last_seq + 1);
    atomic_store(&store->tallies.durable_seq, last_seq);
    atomic_store(&store->next_id, last_id + 1 > id_limit ? last_id + 1 : id_limit);
    atomic_store(&store->decisions_from_ms, (int64_t)decisions_from);
    store->is_sweeping = true; /* what an earlier process left */
    return AT_OK;
}

/* ---- open and close ---- */

struct at_place at_store_place(const struct at_store *store, bool is_reader) {
    size_t share = store->cache_bytes / (store->reader_count + 4); /* the writer's counts twice */
    return (struct at_place){store->path, store->vfs, is_reader ? share : share * 2, is_reader};
}

static enum at_status open_database(struct at_store *store, struct at_error *err) {
    struct at_place place = at_store_place(store, false);
    enum at_status status = at_folder_touch(store->path, err);
    if (status == AT_OK) status = at_connection_open(&store->writer, &place, err);
    if (status == AT_OK)
        status = at_schema_bring(&store->writer, &place, &at_schema_current, &store->log, err);
    if (status == AT_OK) status = at_connection_open(&store->keeper, &place, err);
    if (status != AT_OK) return status;
    at_folder_sync(store->path);
    at_checkpoint_watch(store);
    status = read_series(store);
    if (status != AT_OK) return at_fail(err, status, NULL, "%s cannot be read", store->path);
    return AT_OK;
}

static enum at_status start_threads(struct at_store *store, struct at_error *err) {
    enum at_status status = at_readers_open(store, err);
    if (status == AT_OK)
        status = at_thread_start(&store->keeper_thread, "at-keeper", at_keeper_loop, store, 0, err);
    store->has_keeper_thread = status == AT_OK;
    if (status == AT_OK)
        status = at_thread_start(&store->commit_thread, "at-commit", at_commit_loop, store, 0, err);
    store->has_commit_thread = status == AT_OK;
    return status;
}

/* Everything that cannot be half done: the rest may be closed from any state. */
static struct at_store *make_store(const struct at_store_options *options) {
    struct at_store *store = calloc(1, sizeof(*store));
    if (!store) return NULL;
    size_t room = strlen(options->directory) + sizeof(AT_STORE_DATABASE) + 1;
    store->lock_fd = -1;
    store->log = options->log ? *options->log : (struct at_log){.fd = -1};
    if (!options->ledger) at_ledger_init(&store->own_ledger, 0);
    store->ledger = options->ledger ? options->ledger : &store->own_ledger;
    store->directory = strdup(options->directory);
    store->path = malloc(room);
    const char *vfs = at_clean_vfs(options->vfs);
    store->vfs = vfs ? strdup(vfs) : NULL;
    store->stale_per_mille = options->stale_per_mille;
    store->stale_state = options->stale_seed;
    store->reader_count = options->reader_count ? options->reader_count : 2;
    store->slicing.expire_ms = INT64_MIN;
    store->runs.account = &store->ledger->accounts[AT_ACCOUNT_STORE];
    bool has_texts = store->directory && store->path && store->vfs;
    if (!has_texts || at_queue_init(&store->queue, &store->ledger->accounts[AT_ACCOUNT_QUEUES]) != AT_OK) {
        free(store->directory);
        free(store->path);
        free(store->vfs);
        free(store);
        return NULL;
    }
    snprintf(store->path, room, "%s/%s", store->directory, AT_STORE_DATABASE);
    /* with default attributes these cannot fail */
    pthread_mutex_init(&store->keeper_lock, NULL);
    pthread_cond_init(&store->keeper_called, NULL);
    at_reads_init(&store->reads);
    at_reads_init(&store->slow_reads);
    pthread_mutex_init(&store->spare_lock, NULL);
    pthread_mutex_init(&store->backup_lock, NULL);
    return store;
}

static void draw_cache(struct at_store *store) {
    struct at_account *account = store->runs.account;
    size_t bytes = account->limit / CACHE_SHARE;
    if (bytes < CACHE_MIN_BYTES) bytes = CACHE_MIN_BYTES;
    at_account_force(account, bytes); /* without a cache there is no store */
    store->cache_bytes = bytes;
}

enum at_status at_store_open(struct at_store **out, const struct at_store_options *options,
                             struct at_error *err) {
    char kept[128];
    struct at_store *store = make_store(options);
    *out = NULL;
    if (!store) return at_fail(err, AT_NOMEM, NULL, "no memory to open the data folder");
    draw_cache(store);
    enum at_status status = at_folder_lock(store->directory, &store->lock_fd, err);
    if (status == AT_OK) status = at_restore_finish(store->directory, &store->log, kept, err);
    if (status == AT_OK) at_folder_tighten(store->directory, &store->log);
    if (status == AT_OK) status = open_database(store, err);
    if (status == AT_OK) status = start_threads(store, err);
    if (status == AT_OK)
        *out = store;
    else
        at_store_close(store);
    return status;
}

static void end_threads(struct at_store *store) {
    at_queue_close(&store->queue);
    if (store->has_commit_thread) at_thread_join(store->commit_thread);
    at_keeper_close(store);
    if (store->has_keeper_thread) at_thread_join(store->keeper_thread);
    at_readers_close(store);
}

/* The last connection to close checkpoints the whole log and removes it. */
void at_store_close(struct at_store *store) {
    if (!store) return;
    end_threads(store);
    at_connection_close(&store->keeper);
    at_connection_close(&store->writer);
    at_runs_clear(&store->runs);
    at_account_give(store->runs.account, store->cache_bytes);
    at_folder_unlock(store->lock_fd);
    at_queue_clear(&store->queue);
    pthread_mutex_destroy(&store->backup_lock);
    pthread_mutex_destroy(&store->spare_lock);
    at_reads_clear(&store->reads);
    at_reads_clear(&store->slow_reads);
    pthread_cond_destroy(&store->keeper_called);
    pthread_mutex_destroy(&store->keeper_lock);
    free(store->directory);
    free(store->path);
    free(store->vfs);
    free(store);
}

/* ---- small answers ---- */

uint64_t at_store_next_id(struct at_store *store) {
    return atomic_fetch_add(&store->next_id, 1);
}

void at_store_drain(struct at_store *store) {
    at_queue_drain(&store->queue);
}

void at_store_counts(struct at_store *store, struct at_store_counts *out) {
    struct at_store_tallies *tallies = &store->tallies;
    *out = (struct at_store_counts){
        .commits = atomic_load(&tallies->commits),
        .units = atomic_load(&tallies->units),
        .events = atomic_load(&tallies->events),
        .refused = atomic_load(&tallies->refused),
        .stale = atomic_load(&tallies->stale),
        .failed_commits = atomic_load(&tallies->failed_commits),
        .checkpoints = atomic_load(&tallies->checkpoints),
        .last_commit_us = atomic_load(&tallies->last_commit_us),
        .wal_bytes = atomic_load(&tallies->wal_bytes),
        .durable_seq = atomic_load(&tallies->durable_seq),
        .erasures_open = atomic_load(&tallies->erasures_open),
    };
    pthread_mutex_lock(&store->queue.lock);
    for (size_t i = 0; i < AT_LANE_COUNT; i++) {
        out->queued_units += store->queue.lanes[i].unit_count;
        out->queued_bytes += store->queue.lanes[i].bytes;
    }
    pthread_mutex_unlock(&store->queue.lock);
}
