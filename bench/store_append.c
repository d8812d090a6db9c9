/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commit thread makes of SQLite: the same rows once through the store and once through SQLite alone
 * (same table, write-ahead log, synchronous=FULL), in batches of 100 and as units of one event by 64 waiting
 * callers. Usage: store_append FOLDER [SECONDS]. The folder is made; the rates depend on the disk it lies on.
 */
#include "store/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/time.h"

#define BATCH   100
#define CALLERS 64
#define BODY    500

static char body[BODY + 1];

static void die(const char *what) {
    fprintf(stderr, "store_append: %s\n", what);
    exit(1);
}

/* ---- callers: one thread, as a worker's loop; each waits for its unit's answer before the next ---- */

struct caller {
    struct caller *next;
    struct at_unit unit;
    struct at_arena arena;
    struct bench *bench;
    uint64_t made;
    char message_id[BATCH][40];
};
struct bench {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct caller *answered;
    struct caller *callers;
    struct at_store *store;
    uint64_t done_events;
};

static void answer(struct at_unit *unit) {
    struct caller *caller = unit->arg;
    struct bench *bench = caller->bench;
    if (unit->status != AT_OK) die(at_status_word(unit->status));
    pthread_mutex_lock(&bench->lock);
    caller->next = bench->answered;
    if (!bench->answered) pthread_cond_signal(&bench->filled);
    bench->answered = caller;
    pthread_mutex_unlock(&bench->lock);
}

static void fill_event(struct at_event_row *row, char *message_id, uint64_t n) {
    int length = sprintf(message_id, "message-%016llx", (unsigned long long)at_mix64(n));
    row->source = n % 5000;
    row->at_ms = row->received_ms = 1764150000000 + (int64_t)n;
    row->origin = AT_TEXT("default");
    row->message_id = (struct at_text){message_id, (size_t)length};
    row->name = AT_TEXT("product_viewed");
    row->facts = AT_TEXT("{\"product\":1234}");
    row->body = (struct at_text){body, BODY};
    row->message_key = at_hash64(message_id, (size_t)length);
    row->payload_hash = at_mix64(row->message_key);
}

static void send_unit(struct caller *caller, int events) {
    at_arena_reset(&caller->arena);
    memset(&caller->unit, 0, sizeof(caller->unit));
    for (int i = 0; i < events; i++) {
        struct at_write *write = at_unit_write(&caller->unit, &caller->arena, AT_WRITE_EVENT);
        if (!write) die("out of memory");
        fill_event(&write->event, caller->message_id[i], caller->made++);
    }
    caller->unit.bytes = (size_t)events * (BODY + 300);
    caller->unit.done = caller->unit.refuse = answer;
    caller->unit.arg = caller;
    if (at_store_commit(caller->bench->store, &caller->unit) != AT_OK) die("the queue is full");
}

static double run_store(struct bench *bench, int callers, int events, double seconds) {
    uint64_t began = at_ticks_ns(), until = began + (uint64_t)(seconds * 1e9), total = 0;
    int running = callers;
    for (int i = 0; i < callers; i++) send_unit(&bench->callers[i], events);
    while (running > 0) {
        pthread_mutex_lock(&bench->lock);
        while (!bench->answered) pthread_cond_wait(&bench->filled, &bench->lock);
        struct caller *caller = bench->answered;
        bench->answered = NULL;
        pthread_mutex_unlock(&bench->lock);
        bool goes_on = at_ticks_ns() < until;
        for (struct caller *next; caller; caller = next) {
            next = caller->next;
            total += (uint64_t)events;
            if (goes_on)
                send_unit(caller, events);
            else
                running--;
        }
    }
    return (double)total / ((double)(at_ticks_ns() - began) / 1e9);
}

/* ---- SQLite alone ---- */

static void bind_row(sqlite3_stmt *insert, sqlite3_int64 seq, const struct at_event_row *row) {
    sqlite3_bind_int64(insert, 1, seq);
    sqlite3_bind_int64(insert, 2, (sqlite3_int64)row->source);
    sqlite3_bind_int64(insert, 3, row->at_ms);
    sqlite3_bind_int64(insert, 4, row->received_ms);
    sqlite3_bind_text(insert, 5, row->origin.data, (int)row->origin.length, SQLITE_STATIC);
    sqlite3_bind_text(insert, 6, row->message_id.data, (int)row->message_id.length, SQLITE_STATIC);
    sqlite3_bind_text(insert, 7, row->name.data, (int)row->name.length, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 8, (sqlite3_int64)row->message_key);
    sqlite3_bind_int64(insert, 9, (sqlite3_int64)row->payload_hash);
    sqlite3_bind_text(insert, 10, row->facts.data, (int)row->facts.length, SQLITE_STATIC);
    sqlite3_bind_text(insert, 11, row->body.data, (int)row->body.length, SQLITE_STATIC);
}

static double run_raw(const char *path, int events, double seconds) {
    sqlite3 *db;
    sqlite3_stmt *insert, *begin, *commit;
    if (sqlite3_open(path, &db)) die("cannot open the raw database");
    if (sqlite3_exec(
            db,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS event (seq"
            " INTEGER PRIMARY KEY, source, at_ms, received_ms, origin, message_id, name, message_key,"
            " payload_hash, facts, body)",
            NULL, NULL, NULL))
        die(sqlite3_errmsg(db));
    sqlite3_prepare_v2(db, "INSERT INTO event VALUES (?,?,?,?,?,?,?,?,?,?,?)", -1, &insert, NULL);
    sqlite3_prepare_v2(db, "BEGIN IMMEDIATE", -1, &begin, NULL);
    sqlite3_prepare_v2(db, "COMMIT", -1, &commit, NULL);
    uint64_t began = at_ticks_ns(), until = began + (uint64_t)(seconds * 1e9), total = 0;
    while (at_ticks_ns() < until) {
        sqlite3_step(begin), sqlite3_reset(begin);
        for (int i = 0; i < events; i++) {
            struct at_event_row row = {.seq = 0};
            char message_id[40];
            fill_event(&row, message_id, total);
            bind_row(insert, (sqlite3_int64)++total, &row);
            if (sqlite3_step(insert) != SQLITE_DONE) die(sqlite3_errmsg(db));
            sqlite3_reset(insert);
        }
        if (sqlite3_step(commit) != SQLITE_DONE) die(sqlite3_errmsg(db));
        sqlite3_reset(commit);
    }
    double rate = (double)total / ((double)(at_ticks_ns() - began) / 1e9);
    sqlite3_finalize(insert), sqlite3_finalize(begin), sqlite3_finalize(commit);
    sqlite3_close(db);
    return rate;
}

int main(int argc, char **argv) {
    struct bench bench = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};
    struct at_error err;
    char path[4096];
    if (argc < 2) die("usage: store_append FOLDER [SECONDS]");
    double seconds = argc > 2 ? atof(argv[2]) : 5;
    struct at_store_options options = {.directory = argv[1]};
    if (at_store_open(&bench.store, &options, &err) != AT_OK) die(err.message);
    bench.callers = calloc(CALLERS, sizeof(*bench.callers));
    if (!bench.callers) die("out of memory");
    memset(body, 'x', BODY);
    for (uint64_t i = 0; i < CALLERS; i++) {
        bench.callers[i].bench = &bench;
        bench.callers[i].made = i << 40;
        at_arena_init(&bench.callers[i].arena, (size_t)1 << 20);
    }
    snprintf(path, sizeof(path), "%s/raw.db", argv[1]);
    double raw = run_raw(path, BATCH, seconds);
    double one = run_store(&bench, 1, BATCH, seconds), four = run_store(&bench, 4, BATCH, seconds);
    printf("batches of %d, rows/s: raw SQLite %.0f; store, one caller %.0f (%.2f x), four callers %.0f (%.2f "
           "x)\n",
           BATCH, raw, one, one / raw, four, four / raw);
    double raw_64 = run_raw(path[0] ? strcat(path, "64") : path, CALLERS, seconds);
    double single = run_store(&bench, CALLERS, 1, seconds);
    printf("units of one event, %d waiting callers, rows/s: store %.0f (raw SQLite in batches of %d: %.0f)\n",
           CALLERS, single, CALLERS, raw_64);
    struct at_store_counts counts;
    at_store_counts(bench.store, &counts);
    printf("commits %llu, checkpoints %llu, write-ahead log %zu MiB\n", (unsigned long long)counts.commits,
           (unsigned long long)counts.checkpoints, counts.wal_bytes >> 20);
    at_store_close(bench.store);
    for (int i = 0; i < CALLERS; i++) at_arena_clear(&bench.callers[i].arena);
    free(bench.callers);
    return 0;
}
