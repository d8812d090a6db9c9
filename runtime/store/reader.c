/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader threads and their queues: each thread has a connection of its own and lends it to one read at a
 * time; one of them serves those that take long. The spare connection serves reads that wait on the caller's
 * thread. Owns the connections; the reads are theirs who queued them.
 */
#include "store/internal.h"

#include <sys/resource.h>
#include "loop/thread.h"

#define READERS_DEFAULT 2
#define SLOW_NICE       10

static void lend(struct at_reader *reader, struct at_read *read) {
    struct at_connection *connection = &reader->connection;
    if (!connection->db || connection->is_suspect) {
        struct at_error err;
        struct at_place place = at_store_place(reader->store, true);
        at_connection_close(connection);
        if (at_connection_open(connection, &place, &err) != AT_OK) /* the statements will say AT_IO */
            at_log(&reader->store->log, AT_LOG_WARN, "store", "%s", err.message);
    }
    read->run(read, reader);
}

static void reader_loop(void *arg) {
    struct at_reader *reader = arg;
    struct at_read_queue *reads = reader->reads;
    if (reader->is_slow) (void)setpriority(PRIO_PROCESS, 0, SLOW_NICE); /* here: of this thread */
    for (;;) {
        pthread_mutex_lock(&reads->lock);
        while (!reads->first && !reads->is_closing) pthread_cond_wait(&reads->filled, &reads->lock);
        struct at_read *read = reads->first;
        if (read) reads->first = read->next;
        if (!reads->first) reads->last = NULL;
        pthread_mutex_unlock(&reads->lock);
        if (!read) return;
        lend(reader, read);
    }
}

static void enqueue(struct at_read_queue *reads, struct at_read *read) {
    pthread_mutex_lock(&reads->lock);
    read->next = NULL;
    if (reads->last)
        reads->last->next = read;
    else
        reads->first = read;
    reads->last = read;
    pthread_cond_signal(&reads->filled);
    pthread_mutex_unlock(&reads->lock);
}

void at_store_read(struct at_store *store, struct at_read *read) {
    enqueue(&store->reads, read);
}

void at_store_read_slowly(struct at_store *store, struct at_read *read) {
    enqueue(&store->slow_reads, read);
}

void at_store_read_now(struct at_store *store, struct at_read *read) {
    pthread_mutex_lock(&store->spare_lock);
    lend(&store->spare, read);
    pthread_mutex_unlock(&store->spare_lock);
}

/* With default attributes these cannot fail. */
void at_reads_init(struct at_read_queue *reads) {
    pthread_mutex_init(&reads->lock, NULL);
    pthread_cond_init(&reads->filled, NULL);
}

void at_reads_clear(struct at_read_queue *reads) {
    pthread_cond_destroy(&reads->filled);
    pthread_mutex_destroy(&reads->lock);
}

static enum at_status start_reader(struct at_store *store, uint32_t i, struct at_error *err) {
    struct at_reader *reader = &store->readers[i];
    struct at_place place = at_store_place(store, true);
    reader->store = store;
    reader->is_slow = i == store->reader_count;
    reader->reads = reader->is_slow ? &store->slow_reads : &store->reads;
    enum at_status status = at_connection_open(&reader->connection, &place, err);
    if (status == AT_OK)
        status = at_thread_start(&reader->thread, reader->is_slow ? "at-reader-slow" : "at-reader",
                                 reader_loop, reader, 0, err);
    reader->has_thread = status == AT_OK;
    return status;
}

enum at_status at_readers_open(struct at_store *store, struct at_error *err) {
    if (!store->reader_count) store->reader_count = READERS_DEFAULT;
    store->spare.store = store;
    struct at_place place = at_store_place(store, true);
    enum at_status status = at_connection_open(&store->spare.connection, &place, err);
    if (status != AT_OK) return status;
    store->readers = calloc(store->reader_count + 1, sizeof(*store->readers));
    if (!store->readers) return at_fail(err, AT_NOMEM, NULL, "no memory for the store's readers");
    for (uint32_t i = 0; i <= store->reader_count && status == AT_OK; i++)
        status = start_reader(store, i, err);
    return status;
}

static void end_reads(struct at_read_queue *reads) {
    pthread_mutex_lock(&reads->lock);
    reads->is_closing = true;
    pthread_cond_broadcast(&reads->filled);
    pthread_mutex_unlock(&reads->lock);
}

/* What is queued is still read. */
void at_readers_close(struct at_store *store) {
    end_reads(&store->reads);
    end_reads(&store->slow_reads);
    for (uint32_t i = 0; store->readers && i <= store->reader_count; i++) {
        if (store->readers[i].has_thread) at_thread_join(store->readers[i].thread);
        at_connection_close(&store->readers[i].connection);
    }
    at_connection_close(&store->spare.connection);
    free(store->readers);
    store->readers = NULL;
}

/* ---- what the reads share ---- */

sqlite3_stmt *at_reader_take(struct at_reader *reader, enum at_sql which, enum at_status *status) {
    sqlite3_stmt *statement = at_statement_take(&reader->connection, which, status);
    if (!statement) (void)at_reader_failed(reader, *status);
    return statement;
}

enum at_status at_reader_end(struct at_reader *reader, enum at_sql which, sqlite3_stmt *statement, int code,
                             bool copied) {
    at_statement_give(&reader->connection, which, statement);
    if (code == SQLITE_ROW) return copied ? AT_OK : AT_NOMEM;
    return code == SQLITE_DONE ? AT_NOTFOUND : at_reader_failed(reader, at_sql_status(code));
}

bool at_copy_text(struct at_arena *arena, sqlite3_stmt *statement, int column, struct at_text *out) {
    struct at_text text = at_column_text(statement, column);
    out->data = at_arena_dup(arena, text.data, text.length);
    out->length = text.length;
    return out->data != NULL;
}
