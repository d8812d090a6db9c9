/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps the write-ahead log short. Beyond a mark the keeper thread copies pages into the database beside the
 * writer (PASSIVE); the log starts over only when all of it is copied, so the commit thread does the last few
 * pages itself between two groups. If the keeper cannot keep up the commit thread does all: the log is
 * bounded by back-pressure. While a backup holds a snapshot the log grows by what is written (backup.c bounds
 * that), and after it the keeper alone catches up.
 */
#include "store/internal.h"

#include <time.h>
#include <stdio.h>
#include <unistd.h>

#define MARK_BYTES                                                                                           \
    ((size_t)16 << 20) /* larger: fewer copies of the same page; smaller: a faster start after a crash */
#define REST_FRAMES   128
#define KEEPER_ROUNDS 4
#define CUT_MS        50 /* at most so long writers wait for readers when the log is cut */
#define CUT_AGAIN_MS  200
#define SYNC_PAUSE_US 10000
#define CATCH_UP_ROUNDS                                                                                      \
    32 /* each has what was written during the one before; then the commit thread helps                      \
        */

static int note_frames(void *arg, sqlite3 *db, const char *name, int frames) {
    struct at_store *store = arg;
    (void)db;
    (void)name;
    size_t bytes = (size_t)frames * AT_STORE_PAGE_BYTES;
    atomic_store(&store->tallies.wal_bytes, bytes);
    if (bytes > store->log_file_bytes) store->log_file_bytes = bytes;
    return SQLITE_OK;
}

void at_checkpoint_watch(struct at_store *store) {
    sqlite3_wal_hook(store->writer.db, note_frames, store);
}

/* Returns the frames that are left to copy, -1: it failed. */
static int copy_frames(struct at_store *store, struct at_connection *connection) {
    int frames = 0, copied = 0;
    int code = sqlite3_wal_checkpoint_v2(connection->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
    if (code != SQLITE_OK) return -1;
    atomic_fetch_add(&store->tallies.checkpoints, 1);
    return frames - copied;
}

/* SQLite syncs the database only with the last frame, which the commit thread copies: it would wait there for
 * all that the keeper wrote. Through SQLite's own file: closing another would give up the locks on it. */
static bool sync_database(struct at_connection *connection) {
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(connection->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return code == SQLITE_OK && file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

void at_checkpoint_call(struct at_store *store) {
    pthread_mutex_lock(&store->keeper_lock);
    store->is_checkpoint_due = true;
    pthread_cond_signal(&store->keeper_called);
    pthread_mutex_unlock(&store->keeper_lock);
}

void at_checkpoint_cut(struct at_store *store, uint64_t last) {
    atomic_store(&store->scrub_cutting, last);
    at_checkpoint_call(store);
}

/* What a backup made of the log's file is given back a piece with each start of the log: cutting off a
 * gigabyte at once took three seconds, in which nothing is committed. */
static void shorten_file(struct at_store *store) {
    char sql[64];
    if (store->log_file_bytes <= AT_STORE_LOG_BOUND_BYTES) return;
    store->log_file_bytes -= MARK_BYTES;
    snprintf(sql, sizeof(sql), "PRAGMA journal_size_limit = %zu", store->log_file_bytes);
    if (at_connection_exec(&store->writer, sql, NULL) != AT_OK) store->log_file_bytes += MARK_BYTES;
}

void at_checkpoint_step(struct at_store *store) {
    size_t bytes = atomic_load(&store->tallies.wal_bytes);
    if (!store->writer.db || store->writer.is_suspect) return;
    if (atomic_load(&store->log_hold) != AT_LOG_FREE) return;
    if (bytes < MARK_BYTES && store->wal_mark_bytes != MARK_BYTES) { /* it started over */
        store->wal_mark_bytes = MARK_BYTES;
        shorten_file(store);
    }
    if (bytes > AT_STORE_LOG_BOUND_BYTES && bytes > store->wal_mark_bytes) {
        (void)copy_frames(store, &store->writer);
        store->wal_mark_bytes = bytes + MARK_BYTES;
    } else if (atomic_exchange(&store->is_finish_due, false)) {
        (void)copy_frames(store, &store->writer);
        store->wal_mark_bytes = bytes + MARK_BYTES;
    } else if (bytes > store->wal_mark_bytes) {
        store->wal_mark_bytes = bytes + MARK_BYTES;
        at_checkpoint_call(store);
    }
}

void at_checkpoint_hold(struct at_store *store) {
    atomic_store(&store->log_hold, AT_LOG_HELD);
}

/* The keeper copies for seconds without a sync: what it has written so far goes to the disk from here, or one
 * commit would wait for all of it. */
void at_checkpoint_release(struct at_store *store, struct at_connection *connection) {
    atomic_store(&store->log_hold, AT_LOG_CATCHING_UP);
    at_checkpoint_call(store);
    while (connection->db && atomic_load(&store->log_hold) == AT_LOG_CATCHING_UP) {
        if (!sync_database(connection)) break; /* the keeper will see it, too */
        usleep(SYNC_PAUSE_US);
    }
}

/* Not if the next backup holds it again. */
static void let_log_go(struct at_store *store) {
    int was = AT_LOG_CATCHING_UP;
    atomic_compare_exchange_strong(&store->log_hold, &was, AT_LOG_FREE);
}

static void keep_short(struct at_store *store) {
    /* Of who is erased the log is cut when the backup's snapshot is given back: until then each attempt would
     * keep writers waiting, for nothing. */
    if (atomic_load(&store->log_hold) == AT_LOG_HELD) return;
    if (!store->keeper.db || store->keeper.is_suspect) {
        struct at_error err;
        struct at_place place = at_store_place(store, false);
        at_connection_close(&store->keeper);
        if (at_connection_open(&store->keeper, &place, &err) != AT_OK) {
            let_log_go(store);
            return;
        }
    }
    bool catches_up = atomic_load(&store->log_hold) == AT_LOG_CATCHING_UP;
    for (int round = 0; round < (catches_up ? CATCH_UP_ROUNDS : KEEPER_ROUNDS); round++) {
        int rest = copy_frames(store, &store->keeper);
        if (rest < 0 || !sync_database(&store->keeper)) store->keeper.is_suspect = true;
        if (rest < REST_FRAMES || store->keeper.is_suspect) break;
    }
    if (catches_up) let_log_go(store);
    if (store->keeper.is_suspect) return; /* a full disk: tried again at the next mark */
    uint64_t cutting = atomic_load(&store->scrub_cutting);
    if (cutting && at_scrub_cut(store, &store->keeper, CUT_MS)) {
        atomic_compare_exchange_strong(&store->scrub_cutting, &cutting, 0);
        atomic_store(&store->scrub_cut, cutting);
    }
    atomic_store(&store->is_finish_due, true);
    at_queue_poke(&store->queue);
}

/* False: the log is still to be cut, and it is time to try again. */
static bool wait_called(struct at_store *store) {
    struct timespec until;
    if (!atomic_load(&store->scrub_cutting)) {
        pthread_cond_wait(&store->keeper_called, &store->keeper_lock);
        return true;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += CUT_AGAIN_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    return pthread_cond_timedwait(&store->keeper_called, &store->keeper_lock, &until) == 0;
}

void at_keeper_loop(void *arg) {
    struct at_store *store = arg;
    for (;;) {
        pthread_mutex_lock(&store->keeper_lock);
        while (!store->is_checkpoint_due && !store->is_keeper_closing)
            if (!wait_called(store)) break;
        bool is_over = store->is_keeper_closing;
        store->is_checkpoint_due = false;
        pthread_mutex_unlock(&store->keeper_lock);
        if (is_over) break;
        keep_short(store);
    }
}

void at_keeper_close(struct at_store *store) {
    pthread_mutex_lock(&store->keeper_lock);
    store->is_keeper_closing = true;
    pthread_cond_signal(&store->keeper_called);
    pthread_mutex_unlock(&store->keeper_lock);
}
