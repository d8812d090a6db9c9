/* SPDX-License-Identifier: Apache-2.0
 *
 * What the store's tests share: a fresh folder, units that are waited for, events with a text. Included once
 * a test.
 */
#ifndef AT_TESTS_STORE_HELP_H
#define AT_TESTS_STORE_HELP_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/time.h"
#include "store/store.h"

struct sent { /* a unit of a test, answered or not */
    struct at_unit unit;
    struct at_arena arena;
    _Atomic int is_answered;
    int is_done;
    uint64_t place; /* of its answer among all */
};

static pthread_mutex_t sent_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sent_answered = PTHREAD_COND_INITIALIZER;
static uint64_t sent_places;

static inline void make_folder(char folder[64]) {
    strcpy(folder, "/tmp/attune-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

/* In memory where that is: thousands of openings wait for no disk. */
static inline void make_folder_in_memory(char folder[64]) {
    if (access("/dev/shm", W_OK)) return make_folder(folder);
    strcpy(folder, "/dev/shm/attune-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static inline void remove_folder(const char *folder) {
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

static inline struct at_store *open_store(const char *folder, const char *vfs) {
    struct at_store *store;
    struct at_error err = {.message = ""};
    struct at_store_options options = {.directory = folder, .vfs = vfs};
    if (at_store_open(&store, &options, &err) != AT_OK) fail_msg("open: %s", err.message);
    return store;
}

static inline void note_answer(struct at_unit *unit, int is_done) {
    struct sent *sent = unit->arg;
    pthread_mutex_lock(&sent_lock);
    sent->is_done = is_done;
    sent->place = ++sent_places;
    sent->is_answered++;
    pthread_cond_broadcast(&sent_answered);
    pthread_mutex_unlock(&sent_lock);
}
static inline void note_done(struct at_unit *unit) {
    note_answer(unit, 1);
}
static inline void note_refused(struct at_unit *unit) {
    note_answer(unit, 0);
}

static inline struct sent *new_sent(void) {
    struct sent *sent = calloc(1, sizeof(*sent));
    assert_non_null(sent);
    at_arena_init(&sent->arena, (size_t)16 << 20);
    sent->unit.arg = sent;
    sent->unit.done = note_done;
    sent->unit.refuse = note_refused;
    return sent;
}
static inline void free_sent(struct sent *sent) {
    at_arena_clear(&sent->arena);
    free(sent);
}
static inline struct at_write *add_write(struct sent *sent, enum at_write_kind kind) {
    struct at_write *write = at_unit_write(&sent->unit, &sent->arena, kind);
    assert_non_null(write);
    return write;
}
static inline struct at_text text_in(struct sent *sent, const char *text) {
    struct at_text out = {at_arena_dup(&sent->arena, text, strlen(text)), strlen(text)};
    assert_non_null(out.data);
    return out;
}
static inline struct at_write *add_event(struct sent *sent, uint64_t source, uint64_t n) {
    struct at_write *write = add_write(sent, AT_WRITE_EVENT);
    char id[32];
    snprintf(id, sizeof(id), "m-%llu", (unsigned long long)n);
    write->event = (struct at_event_row){.source = source,
                                         .at_ms = 1000 + (int64_t)n,
                                         .received_ms = 2000 + (int64_t)n,
                                         .origin = AT_TEXT("default"),
                                         .message_id = text_in(sent, id),
                                         .name = AT_TEXT("product_viewed"),
                                         .facts = AT_TEXT("{}"),
                                         .body = AT_TEXT("{\"event\":\"Product Viewed\"}"),
                                         .message_key = at_mix64(n),
                                         .payload_hash = n};
    sent->unit.bytes += 256;
    return write;
}

static inline void wait_sent(struct sent *sent) {
    pthread_mutex_lock(&sent_lock);
    while (!sent->is_answered) pthread_cond_wait(&sent_answered, &sent_lock);
    pthread_mutex_unlock(&sent_lock);
}
static inline enum at_status send_and_wait(struct at_store *store, struct sent *sent, bool is_behind) {
    enum at_status status =
        is_behind ? at_store_commit_behind(store, &sent->unit) : at_store_commit(store, &sent->unit);
    if (status != AT_OK) return status;
    wait_sent(sent);
    assert_int_equal(sent->is_answered, 1);
    assert_int_equal(sent->is_done, sent->unit.status == AT_OK);
    return sent->unit.status;
}
/* … and free it. */
static inline enum at_status finish_sent(struct at_store *store, struct sent *sent, bool is_behind) {
    enum at_status status = send_and_wait(store, sent, is_behind);
    free_sent(sent);
    return status;
}
static inline enum at_status send_event(struct at_store *store, uint64_t n) {
    struct sent *sent = new_sent();
    add_event(sent, 1, n);
    return finish_sent(store, sent, false);
}

/* ---- reads: body runs with `reader` on the calling thread ---- */
struct read_call {
    struct at_read read;
    void (*fn)(struct at_reader *reader, void *arg);
    void *arg;
};
static inline void run_call(struct at_read *read, struct at_reader *reader) {
    struct read_call *call = (struct read_call *)read;
    call->fn(reader, call->arg);
}
static inline void read_store(struct at_store *store, void (*fn)(struct at_reader *reader, void *arg),
                              void *arg) {
    struct read_call call = {{NULL, run_call}, fn, arg};
    at_store_read_now(store, &call.read);
}

struct log_count { /* how often each event "m-N", N < cap, is in the log */
    unsigned char *counts;
    uint64_t cap, total, last_seq;
};
static inline bool count_event(void *arg, const struct at_event_row *row) {
    struct log_count *log = arg;
    uint64_t n = row->payload_hash;
    assert_true(n < log->cap && row->seq > log->last_seq && row->message_key == at_mix64(n));
    log->counts[n]++;
    log->total++;
    log->last_seq = row->seq;
    return true;
}
static inline void count_log(struct at_reader *reader, void *arg) {
    assert_int_equal(at_reader_log(reader, 0, UINT64_MAX, count_event, arg), AT_OK);
}
static inline struct log_count read_log(struct at_store *store, uint64_t cap) {
    struct log_count log = {calloc(cap + 1, 1), cap, 0, 0};
    assert_non_null(log.counts);
    read_store(store, count_log, &log);
    return log;
}

/* A program's one store: open_fresh and close_fresh around each of its tests. */
#define ONE_STORE(vfs)                                                                                       \
    static char folder[64];                                                                                  \
    static struct at_store *store;                                                                           \
    static int open_fresh(void **state) {                                                                    \
        (void)state;                                                                                         \
        make_folder(folder);                                                                                 \
        store = open_store(folder, vfs);                                                                     \
        return 0;                                                                                            \
    }                                                                                                        \
    static int close_fresh(void **state) {                                                                   \
        (void)state;                                                                                         \
        at_store_close(store);                                                                               \
        remove_folder(folder);                                                                               \
        return 0;                                                                                            \
    }

#endif
