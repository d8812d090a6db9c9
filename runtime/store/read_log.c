/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads of the log and of deduplication. Long scans go in slices of one statement each, so that no reader
 * pins the write-ahead log for longer than a slice.
 */
#include "store/internal.h"

#include <string.h>

#define SLICE_EVENTS 512
#define SLICE_PARTS  16

static uint64_t clamp(uint64_t seq) {
    return seq > INT64_MAX ? (uint64_t)INT64_MAX : seq;
}

enum at_status at_reader_failed(struct at_reader *reader, enum at_status status) {
    if (status == AT_IO) reader->connection.is_suspect = true;
    return status;
}

/* ---- events ---- */

typedef bool event_fn(void *arg, const struct at_event_row *row);

static void read_event(sqlite3_stmt *statement, struct at_event_row *row) {
    *row = (struct at_event_row){
        .seq = at_column_number(statement, 0),
        .source = at_column_number(statement, 1),
        .at_ms = sqlite3_column_int64(statement, 2),
        .received_ms = sqlite3_column_int64(statement, 3),
        .origin = at_column_text(statement, 4),
        .message_id = at_column_text(statement, 5),
        .name = at_column_text(statement, 6),
        .message_key = at_column_number(statement, 7),
        .payload_hash = at_column_number(statement, 8),
        .facts = at_column_text(statement, 9),
        .body = at_column_text(statement, 10),
    };
}

struct event_scan {
    event_fn *fn;
    void *arg;
    uint64_t last_seq;
    size_t count;
    bool is_stopped;
};

/* Steps one slice and gives the statement back. */
static enum at_status lend_events(struct at_reader *reader, enum at_sql which, sqlite3_stmt *statement,
                                  struct event_scan *scan) {
    int code;
    scan->count = 0;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct at_event_row row;
        read_event(statement, &row);
        scan->last_seq = row.seq;
        scan->count++;
        if (!scan->fn(scan->arg, &row)) {
            scan->is_stopped = true;
            break;
        }
    }
    at_statement_give(&reader->connection, which, statement);
    if (scan->count < SLICE_EVENTS) scan->is_stopped = true;
    return at_reader_failed(reader, at_sql_status(code));
}

enum at_status at_reader_log(struct at_reader *reader, uint64_t after_seq, uint64_t to_seq, event_fn *fn,
                             void *arg) {
    struct event_scan scan = {.fn = fn, .arg = arg, .last_seq = clamp(after_seq)};
    enum at_status status = AT_OK;
    while (!scan.is_stopped && status == AT_OK) {
        sqlite3_stmt *statement = at_statement_take(&reader->connection, AT_SQL_EVENT_RANGE, &status);
        if (!statement) return at_reader_failed(reader, status);
        at_bind_number(statement, 1, scan.last_seq);
        at_bind_number(statement, 2, clamp(to_seq));
        sqlite3_bind_int(statement, 3, SLICE_EVENTS);
        status = lend_events(reader, AT_SQL_EVENT_RANGE, statement, &scan);
    }
    return status;
}

enum at_status at_reader_events_of(struct at_reader *reader, uint64_t source, uint64_t before_seq,
                                   bool is_descending, event_fn *fn, void *arg) {
    struct event_scan scan = {.fn = fn, .arg = arg, .last_seq = is_descending ? clamp(before_seq) : 0};
    enum at_sql which = is_descending ? AT_SQL_EVENT_OF_NEWEST : AT_SQL_EVENT_OF_OLDEST;
    enum at_status status = AT_OK;
    while (!scan.is_stopped && status == AT_OK) {
        sqlite3_stmt *statement = at_statement_take(&reader->connection, which, &status);
        if (!statement) return at_reader_failed(reader, status);
        at_bind_number(statement, 1, source);
        at_bind_number(statement, 2, is_descending ? 0 : scan.last_seq);
        at_bind_number(statement, 3, is_descending ? scan.last_seq : clamp(before_seq));
        sqlite3_bind_int(statement, 4, SLICE_EVENTS);
        status = lend_events(reader, which, statement, &scan);
    }
    return status;
}

enum at_status at_reader_erased_events(struct at_reader *reader, struct at_text id, event_fn *fn, void *arg) {
    struct event_scan scan = {.fn = fn, .arg = arg};
    enum at_status status = AT_OK;
    sqlite3_stmt *statement = at_statement_take(&reader->connection, AT_SQL_ERASED_EVENTS, &status);
    if (!statement) return at_reader_failed(reader, status);
    at_bind_text(statement, 1, id);
    return lend_events(reader, AT_SQL_ERASED_EVENTS, statement, &scan);
}

/* ---- deduplication ---- */

static bool search_part(const unsigned char *rows, size_t count, uint64_t key, struct at_message_row *out) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        at_row_unpack(rows + middle * AT_ROW_BYTES, out);
        if (out->key == key) return true;
        if (out->key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static enum at_status search_run(struct at_reader *reader, uint64_t run, uint64_t key,
                                 struct at_message_row *out) {
    enum at_status status;
    bool is_found = false;
    sqlite3_stmt *statement = at_statement_take(&reader->connection, AT_SQL_PART_FIND, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, run);
    at_bind_number(statement, 2, at_key_order(key));
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const unsigned char *rows = sqlite3_column_blob(statement, 0);
        is_found = search_part(rows, (size_t)sqlite3_column_bytes(statement, 0) / AT_ROW_BYTES, key, out);
    }
    at_statement_give(&reader->connection, AT_SQL_PART_FIND, statement);
    status = at_sql_status(code);
    return status == AT_OK && !is_found ? AT_NOTFOUND : status;
}

enum at_status at_reader_message(struct at_reader *reader, uint64_t key, struct at_message_row *out) {
    enum at_status status = AT_NOTFOUND;
    uint64_t run = UINT64_MAX;
    while (status == AT_NOTFOUND && (run = at_runs_next(&reader->store->runs, key, run)) != 0)
        status = search_run(reader, run, key, out);
    return at_reader_failed(reader, status);
}

typedef bool message_fn(void *arg, const struct at_message_row *row);

struct run_scan {
    message_fn *fn;
    void *arg;
    uint64_t next_order; /* first key of the next part, as kept; INT64_MIN's bits at first */
    bool is_stopped, is_over;
};

static bool lend_part(struct run_scan *scan, const unsigned char *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct at_message_row row;
        at_row_unpack(rows + i * AT_ROW_BYTES, &row);
        scan->next_order = at_key_order(row.key) + 1;
        scan->is_over = row.key == UINT64_MAX;
        if (!scan->fn(scan->arg, &row)) return false;
    }
    return true;
}

static enum at_status lend_run_slice(struct at_reader *reader, uint64_t run, struct run_scan *scan) {
    enum at_status status;
    int code, parts = 0;
    sqlite3_stmt *statement = at_statement_take(&reader->connection, AT_SQL_PART_SLICE, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, run);
    at_bind_number(statement, 2, scan->next_order);
    sqlite3_bind_int(statement, 3, SLICE_PARTS);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && !scan->is_stopped) {
        const unsigned char *rows = sqlite3_column_blob(statement, 1);
        scan->is_stopped = !lend_part(scan, rows, (size_t)sqlite3_column_bytes(statement, 1) / AT_ROW_BYTES);
        parts++;
    }
    at_statement_give(&reader->connection, AT_SQL_PART_SLICE, statement);
    if (parts < SLICE_PARTS) scan->is_over = true;
    return at_sql_status(code);
}

static enum at_status run_before(struct at_reader *reader, int64_t since_ms, uint64_t *run) {
    enum at_status status;
    sqlite3_stmt *statement = at_statement_take(&reader->connection, AT_SQL_RUN_BEFORE, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, clamp(*run));
    sqlite3_bind_int64(statement, 2, since_ms);
    return at_statement_number(&reader->connection, AT_SQL_RUN_BEFORE, statement, run);
}

enum at_status at_reader_messages(struct at_reader *reader, int64_t sealed_since_ms, message_fn *fn,
                                  void *arg) {
    struct run_scan scan = {.fn = fn, .arg = arg};
    uint64_t run = UINT64_MAX;
    enum at_status status = AT_OK;
    while (!scan.is_stopped && (status = run_before(reader, sealed_since_ms, &run)) == AT_OK) {
        scan.next_order = UINT64_C(1) << 63;
        scan.is_over = false;
        while (!scan.is_over && !scan.is_stopped && status == AT_OK)
            status = lend_run_slice(reader, run, &scan);
        if (status != AT_OK) break;
    }
    return at_reader_failed(reader, status == AT_NOTFOUND ? AT_OK : status);
}
