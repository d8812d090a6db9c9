/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a file is a whole database of attune: what a backup is before it gets its name, and what a restore
 * takes. All of it is read. Invariant: the file is opened as one that never changes, so nothing is locked,
 * made or replayed beside it.
 */
#include "store/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("/-._~", c));
}

/* SQLite's own way to say it is an address. */
static char *address_of(const char *path) {
    static const char hex[] = "0123456789ABCDEF";
    char *out = malloc(3 * strlen(path) + sizeof("file:?immutable=1"));
    if (!out) return NULL;
    size_t n = 5;
    memcpy(out, "file:", n);
    for (; *path; path++) {
        if (!is_plain(*path)) {
            out[n++] = '%';
            out[n++] = hex[(unsigned char)*path >> 4];
            out[n++] = hex[*path & 15];
        } else {
            out[n++] = *path;
        }
    }
    memcpy(out + n, "?immutable=1", sizeof("?immutable=1"));
    return out;
}

enum at_status at_whole_open(struct at_connection *connection, const char *path, const char *vfs,
                             struct at_error *err) {
    memset(connection, 0, sizeof(*connection));
    char *address = address_of(path);
    if (!address) return at_fail(err, AT_NOMEM, NULL, "no memory to read %s", path);
    int code = sqlite3_open_v2(address, &connection->db,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, vfs);
    free(address);
    if (code == SQLITE_OK) {
        sqlite3_extended_result_codes(connection->db, 1);
        return AT_OK;
    }
    at_fail(err, at_sql_status(code), NULL, "%s cannot be read: %s", path,
            connection->db ? sqlite3_errmsg(connection->db) : sqlite3_errstr(code));
    at_connection_close(connection);
    return at_sql_status(code);
}

/* Bytes 18 and 19 say by what journal a database is written (SQLite's file format, 1.3.3): a copy has the
 * write-ahead log's from its source, with 1 it makes none beside it. */
enum at_status at_whole_plain(int folder, const char *path, struct at_error *err) {
    int fd = openat(folder, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    bool is_written = fd >= 0 && pwrite(fd, "\1\1", 2, 18) == 2;
    enum at_status status = is_written ? AT_OK : at_fail_file(err, "cannot write", path);
    if (fd >= 0) close(fd);
    return status;
}

static enum at_status fail_damaged(const struct at_connection *connection, const char *name,
                                   struct at_error *err) {
    int code = sqlite3_errcode(connection->db);
    if (code == SQLITE_INTERRUPT) return at_fail(err, AT_STOPPED, "stopped", "checking %s was stopped", name);
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT || code == SQLITE_ERROR)
        return at_fail(err, AT_UNPROCESSABLE, "not_whole", "%s is not a whole database of attune: %s", name,
                       sqlite3_errmsg(connection->db));
    enum at_status status = at_sql_status(code);
    return at_fail(err, status == AT_OK ? AT_IO : status, NULL, "%s cannot be read: %s", name,
                   sqlite3_errmsg(connection->db));
}

static enum at_status check_kind(struct at_connection *connection, const char *name, int64_t *schema,
                                 struct at_error *err) {
    int64_t application = 0;
    if (at_connection_number(connection, "PRAGMA application_id", &application) != AT_OK ||
        at_connection_number(connection, "PRAGMA user_version", schema) != AT_OK)
        return fail_damaged(connection, name, err);
    if (application != AT_STORE_APPLICATION_ID || *schema < 1)
        return at_fail(err, AT_UNSUPPORTED, "foreign_database", "%s is not a database of attune", name);
    if (*schema > AT_STORE_SCHEMA)
        return at_fail(err, AT_UNSUPPORTED, "newer_schema",
                       "%s has schema %lld, this attune reads schemas up to %d: use the newer attune that "
                       "wrote it",
                       name, (long long)*schema, AT_STORE_SCHEMA);
    return AT_OK;
}

/* "*** in database main ***\nOn tree page 7 …": the second line says it. */
static enum at_status fail_check(const char *name, struct at_text said, struct at_error *err) {
    const char *line = memchr(said.data, '\n', said.length), *from = line ? line + 1 : said.data;
    return at_fail(err, AT_UNPROCESSABLE, "not_whole", "%s is damaged: %.200s", name, from);
}

/* The first of what SQLite finds is enough to refuse. */
static enum at_status check_pages(struct at_connection *connection, const char *name, struct at_error *err) {
    sqlite3_stmt *statement = NULL;
    enum at_status status = AT_OK;
    int code = sqlite3_prepare_v2(connection->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    struct at_text said = code == SQLITE_ROW ? at_column_text(statement, 0) : AT_TEXT("");
    if (code != SQLITE_ROW)
        status = fail_damaged(connection, name, err);
    else if (!at_text_is(said, "ok"))
        status = fail_check(name, said, err);
    sqlite3_finalize(statement);
    return status;
}

static int64_t read_moment(struct at_connection *connection) {
    sqlite3_stmt *statement = NULL;
    int64_t ms = 0;
    struct at_error ignored;
    static const char sql[] = "SELECT value FROM setting WHERE name = '" AT_STORE_MOMENT "'";
    if (sqlite3_prepare_v2(connection->db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        struct at_text text = at_column_text(statement, 0);
        if (at_time_parse(text.data, text.length, &ms, &ignored) != AT_OK) ms = 0;
    }
    sqlite3_finalize(statement);
    if (!ms) /* a copy that was made in another way */
        (void)at_connection_number(connection, "SELECT received_ms FROM event ORDER BY seq DESC LIMIT 1",
                                   &ms);
    return ms;
}

enum at_status at_whole_kind(struct at_connection *connection, const char *name, struct at_error *err) {
    int64_t schema;
    return check_kind(connection, name, &schema, err);
}

enum at_status at_whole_read(struct at_connection *connection, const char *name, struct at_whole *out,
                             struct at_error *err) {
    int64_t events = 0, bytes = 0;
    *out = (struct at_whole){0};
    enum at_status status = check_kind(connection, name, &out->schema, err);
    if (status == AT_OK) status = check_pages(connection, name, err);
    if (status != AT_OK) return status;
    static const char size[] = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    if (at_connection_number(connection, "SELECT count(*) FROM event", &events) != AT_OK ||
        at_connection_number(connection, size, &bytes) != AT_OK)
        return fail_damaged(connection, name, err);
    out->bytes = (uint64_t)bytes;
    out->events = (uint64_t)events;
    out->moment_ms = read_moment(connection);
    return AT_OK;
}
