/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads of what people asked for about their data, who was erased, who looked at whom. Reader threads call
 * them; each may wait for the disk.
 */
#include "store/internal.h"

#define SLICE_ROWS 512

static enum at_status all(enum at_status status) {
    return status == AT_NOTFOUND ? AT_OK : status;
}

/* ---- erasures ---- */

static struct at_erasure_row erasure_at(sqlite3_stmt *statement) {
    return (struct at_erasure_row){.id = at_column_text(statement, 0),
                                   .person = at_column_number(statement, 1),
                                   .at_ms = sqlite3_column_int64(statement, 2),
                                   .author = at_column_text(statement, 3),
                                   .event_count = at_column_number(statement, 4),
                                   .scrubbed_ms = sqlite3_column_int64(statement, 5),
                                   .is_counted = sqlite3_column_int(statement, 6) != 0};
}

enum at_status at_reader_erasure(struct at_reader *reader, struct at_text id, struct at_erasure_row *out,
                                 struct at_arena *arena) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_ERASURE_GET, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, id);
    int code = sqlite3_step(statement);
    bool copied = false;
    if (code == SQLITE_ROW) {
        *out = erasure_at(statement);
        copied =
            at_copy_text(arena, statement, 0, &out->id) && at_copy_text(arena, statement, 3, &out->author);
    }
    return at_reader_end(reader, AT_SQL_ERASURE_GET, statement, code, copied);
}

enum at_status at_reader_erasures(struct at_reader *reader,
                                  bool (*fn)(void *arg, const struct at_erasure_row *row, bool is_open),
                                  void *arg) {
    int64_t after = 0;
    enum at_status status = AT_OK;
    for (int count = SLICE_ROWS; count == SLICE_ROWS && status == AT_OK;) {
        sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_ERASURE_SLICE, &status);
        if (!statement) return status;
        int code;
        bool goes_on = true;
        sqlite3_bind_int64(statement, 1, after);
        sqlite3_bind_int(statement, 2, SLICE_ROWS);
        for (count = 0; goes_on && (code = sqlite3_step(statement)) == SQLITE_ROW; count++) {
            struct at_erasure_row row = erasure_at(statement);
            after = sqlite3_column_int64(statement, 7);
            goes_on = fn(arg, &row, !row.is_counted);
        }
        status = all(at_reader_end(reader, AT_SQL_ERASURE_SLICE, statement, code, true));
        if (!goes_on) return AT_OK;
    }
    return status;
}

enum at_status at_reader_suppressed(struct at_reader *reader,
                                    bool (*fn)(void *arg, const struct at_suppressed_row *row), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_SUPPRESSED_ALL, &status);
    if (!statement) return status;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct at_suppressed_row row = {at_column_text(statement, 0), at_column_text(statement, 1),
                                        sqlite3_column_int64(statement, 2)};
        if (!fn(arg, &row)) break;
    }
    return all(at_reader_end(reader, AT_SQL_SUPPRESSED_ALL, statement, code, true));
}

/* ---- requests ---- */

static struct at_request_row request_at(sqlite3_stmt *statement) {
    return (struct at_request_row){.id = at_column_text(statement, 0),
                                   .kind = at_column_text(statement, 1),
                                   .state = at_column_text(statement, 2),
                                   .person = at_column_number(statement, 3),
                                   .source = at_column_text(statement, 4),
                                   .reference = at_column_text(statement, 5),
                                   .at_ms = sqlite3_column_int64(statement, 6),
                                   .due_ms = sqlite3_column_int64(statement, 7),
                                   .changed_ms = sqlite3_column_int64(statement, 8),
                                   .detail = at_column_text(statement, 9)};
}

enum at_status at_reader_request(struct at_reader *reader, struct at_text id, struct at_request_row *out,
                                 struct at_arena *arena) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_REQUEST_GET, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, id);
    int code = sqlite3_step(statement);
    bool copied = code == SQLITE_ROW;
    if (code == SQLITE_ROW) {
        *out = request_at(statement);
        struct {
            int column;
            struct at_text *text;
        } texts[] = {{0, &out->id},     {1, &out->kind},      {2, &out->state},
                     {4, &out->source}, {5, &out->reference}, {9, &out->detail}};
        for (size_t i = 0; i < AT_LENGTH(texts) && copied; i++)
            copied = at_copy_text(arena, statement, texts[i].column, texts[i].text);
    }
    return at_reader_end(reader, AT_SQL_REQUEST_GET, statement, code, copied);
}

enum at_status at_reader_requests(struct at_reader *reader, struct at_text state, uint32_t limit,
                                  bool (*fn)(void *arg, const struct at_request_row *row), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_REQUEST_LIST, &status);
    if (!statement) return status;
    int code;
    at_bind_text(statement, 1, state);
    sqlite3_bind_int64(statement, 2, limit);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct at_request_row row = request_at(statement);
        if (!fn(arg, &row)) break;
    }
    return all(at_reader_end(reader, AT_SQL_REQUEST_LIST, statement, code, true));
}

/* ---- who looked ---- */

enum at_status at_reader_access_of(struct at_reader *reader, uint64_t person, uint32_t limit,
                                   bool (*fn)(void *arg, const struct at_access_row *row), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_ACCESS_OF, &status);
    if (!statement) return status;
    int code;
    at_bind_number(statement, 1, person);
    sqlite3_bind_int64(statement, 2, limit);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct at_access_row row = {sqlite3_column_int64(statement, 0), at_column_text(statement, 1),
                                    at_column_text(statement, 2), person};
        if (!fn(arg, &row)) break;
    }
    return all(at_reader_end(reader, AT_SQL_ACCESS_OF, statement, code, true));
}
