/* SPDX-License-Identifier: Apache-2.0
 *
 * One SQLite connection with its settings and its kept statements; every thread of the store has its own.
 * Owns the sqlite3 handle and the statements. Invariant: a statement that was given back is reset, so no
 * connection holds a snapshot of the database between two calls.
 */
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define SQL_TEXT(name, text) [AT_SQL_##name] = text,
static const char *const TEXTS[AT_SQL_COUNT] = {AT_SQL_LIST(SQL_TEXT)};

enum at_status at_sql_status(int code) {
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return AT_OK;
    case SQLITE_FULL: return AT_FULL;
    case SQLITE_NOMEM: return AT_NOMEM;
    case SQLITE_CONSTRAINT: return AT_DUPLICATE;
    case SQLITE_IOERR: return code == SQLITE_IOERR_NOMEM ? AT_NOMEM : AT_IO;
    default: return AT_IO;
    }
}

static enum at_status fail_sql(const struct at_connection *connection, int code, const char *what,
                               struct at_error *err) {
    const char *why = connection->db ? sqlite3_errmsg(connection->db) : sqlite3_errstr(code);
    enum at_status status = at_sql_status(code);
    return at_fail(err, status, NULL, "%s: %s", what, why);
}

enum at_status at_connection_exec(struct at_connection *connection, const char *sql, struct at_error *err) {
    int code = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? AT_OK : fail_sql(connection, code, "the database refused a command", err);
}

enum at_status at_connection_number(struct at_connection *connection, const char *sql, int64_t *out) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(connection->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    if (code == SQLITE_ROW) *out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? AT_NOTFOUND : at_sql_status(code);
}

static enum at_status apply_settings(struct at_connection *connection, const struct at_place *place,
                                     struct at_error *err) {
    char sql[256];
    snprintf(sql, sizeof(sql),
             "PRAGMA cache_size = -%zu; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;"
             "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = ON;"
             "PRAGMA query_only = %d",
             place->cache_bytes / 1024, place->is_reader);
    sqlite3_busy_timeout(connection->db, AT_STORE_BUSY_MS);
    return at_connection_exec(connection, sql, err);
}

enum at_status at_connection_open(struct at_connection *connection, const struct at_place *place,
                                  struct at_error *err) {
    memset(connection, 0, sizeof(*connection));
    int code = sqlite3_open_v2(place->path, &connection->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                               place->vfs);
    if (code == SQLITE_OK) {
        sqlite3_extended_result_codes(connection->db, 1);
        enum at_status status = apply_settings(connection, place, err);
        if (status != AT_OK) {
            at_error_prefix(err, "%s: ", place->path);
            at_connection_close(connection);
        }
        return status;
    }
    fail_sql(connection, code, place->path, err);
    at_connection_close(connection);
    return at_sql_status(code);
}

void at_connection_close(struct at_connection *connection) {
    for (size_t i = 0; i < AT_SQL_COUNT; i++) sqlite3_finalize(connection->statements[i]);
    sqlite3_close_v2(connection->db);
    memset(connection, 0, sizeof(*connection));
}

sqlite3_stmt *at_statement_take(struct at_connection *connection, enum at_sql which, enum at_status *status) {
    sqlite3_stmt **kept = &connection->statements[which], *fresh = NULL;
    *status = AT_OK;
    if (*kept && !sqlite3_stmt_busy(*kept)) return *kept;
    int code = connection->db ? sqlite3_prepare_v3(connection->db, TEXTS[which], -1,
                                                   SQLITE_PREPARE_PERSISTENT, &fresh, NULL)
                              : SQLITE_CANTOPEN;
    if (code != SQLITE_OK) {
        *status = at_sql_status(code);
        return NULL;
    }
    if (!*kept) *kept = fresh;
    return fresh;
}

void at_statement_give(struct at_connection *connection, enum at_sql which, sqlite3_stmt *statement) {
    if (statement == connection->statements[which])
        sqlite3_reset(statement);
    else
        sqlite3_finalize(statement);
}

enum at_status at_statement_run(struct at_connection *connection, enum at_sql which,
                                sqlite3_stmt *statement) {
    int code = sqlite3_step(statement);
    at_statement_give(connection, which, statement);
    return at_sql_status(code);
}

enum at_status at_statement_do(struct at_connection *connection, enum at_sql which) {
    enum at_status status;
    sqlite3_stmt *statement = at_statement_take(connection, which, &status);
    return statement ? at_statement_run(connection, which, statement) : status;
}

enum at_status at_statement_number(struct at_connection *connection, enum at_sql which,
                                   sqlite3_stmt *statement, uint64_t *out) {
    int code = sqlite3_step(statement);
    *out = code == SQLITE_ROW ? at_column_number(statement, 0) : 0;
    at_statement_give(connection, which, statement);
    return code == SQLITE_DONE ? AT_NOTFOUND : at_sql_status(code);
}
