/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading who is in which segment, who is due, how often people buy, and people by slices. Rows are lent; a
 * scan of many people goes in slices of its caller's, so that no read lasts.
 */
#include "store/internal.h"

struct lending {
    union {
        bool (*profile)(void *arg, const struct at_profile_row *row);
        bool (*member)(void *arg, const struct at_member_row *row);
        bool (*due)(void *arg, const struct at_due_row *row);
        bool (*count)(void *arg, struct at_text segment, uint64_t count);
        bool (*rhythm)(void *arg, uint64_t days, uint64_t people);
    };
    void *arg;
};

/* Lends the rows of a bound statement and gives it back. */
static enum at_status lend_all(struct at_reader *reader, enum at_sql which, sqlite3_stmt *statement,
                               bool (*lend)(const struct lending *lending, sqlite3_stmt *statement),
                               struct lending lending) {
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && lend(&lending, statement)) {}
    at_statement_give(&reader->connection, which, statement);
    bool is_ok = code == SQLITE_ROW || code == SQLITE_DONE;
    return is_ok ? AT_OK : at_reader_failed(reader, at_sql_status(code));
}

static bool lend_profile(const struct lending *lending, sqlite3_stmt *statement) {
    struct at_profile_row row = {.person = at_column_number(statement, 0),
                                 .applied_seq = at_column_number(statement, 1),
                                 .body = at_column_text(statement, 2)};
    return lending->profile(lending->arg, &row);
}

static bool lend_member(const struct lending *lending, sqlite3_stmt *statement) {
    struct at_member_row row = {at_column_number(statement, 0), at_column_text(statement, 1),
                                sqlite3_column_int64(statement, 2)};
    return lending->member(lending->arg, &row);
}

static bool lend_due(const struct lending *lending, sqlite3_stmt *statement) {
    struct at_due_row row = {at_column_number(statement, 0), sqlite3_column_int64(statement, 1)};
    return lending->due(lending->arg, &row);
}

static bool lend_count(const struct lending *lending, sqlite3_stmt *statement) {
    return lending->count(lending->arg, at_column_text(statement, 0), at_column_number(statement, 1));
}

static bool lend_rhythm(const struct lending *lending, sqlite3_stmt *statement) {
    return lending->rhythm(lending->arg, at_column_number(statement, 0), at_column_number(statement, 1));
}

enum at_status at_reader_profiles(struct at_reader *reader, uint64_t after, uint32_t limit,
                                  bool (*fn)(void *arg, const struct at_profile_row *row), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_PROFILE_SLICE, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, after);
    sqlite3_bind_int64(statement, 2, limit);
    return lend_all(reader, AT_SQL_PROFILE_SLICE, statement, lend_profile,
                    (struct lending){.profile = fn, .arg = arg});
}

enum at_status at_reader_profile_last(struct at_reader *reader, uint64_t *last_out) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_PROFILE_LAST, &status);
    if (statement)
        status = at_statement_number(&reader->connection, AT_SQL_PROFILE_LAST, statement, last_out);
    return status == AT_OK ? AT_OK : at_reader_failed(reader, status);
}

enum at_status at_reader_members(struct at_reader *reader, uint64_t after, uint64_t to,
                                 bool (*fn)(void *arg, const struct at_member_row *row), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_MEMBER_RANGE, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, after);
    at_bind_number(statement, 2, to);
    return lend_all(reader, AT_SQL_MEMBER_RANGE, statement, lend_member,
                    (struct lending){.member = fn, .arg = arg});
}

enum at_status at_reader_dues(struct at_reader *reader, uint64_t after, uint64_t to,
                              bool (*fn)(void *arg, const struct at_due_row *row), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_DUE_RANGE, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, after);
    at_bind_number(statement, 2, to);
    return lend_all(reader, AT_SQL_DUE_RANGE, statement, lend_due, (struct lending){.due = fn, .arg = arg});
}

enum at_status at_reader_due(struct at_reader *reader, int64_t until_ms, uint32_t limit,
                             bool (*fn)(void *arg, const struct at_due_row *row), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_DUE_UNTIL, &status);
    if (!statement) return status;
    sqlite3_bind_int64(statement, 1, until_ms);
    sqlite3_bind_int64(statement, 2, limit);
    return lend_all(reader, AT_SQL_DUE_UNTIL, statement, lend_due, (struct lending){.due = fn, .arg = arg});
}

enum at_status at_reader_members_of(struct at_reader *reader, struct at_text segment,
                                    const struct at_member_row *before, uint32_t limit,
                                    bool (*fn)(void *arg, const struct at_member_row *row), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_MEMBER_OF, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, segment);
    sqlite3_bind_int64(statement, 2, before->since_ms);
    at_bind_number(statement, 3, before->person);
    sqlite3_bind_int64(statement, 4, limit);
    return lend_all(reader, AT_SQL_MEMBER_OF, statement, lend_member,
                    (struct lending){.member = fn, .arg = arg});
}

enum at_status at_reader_member_counts(struct at_reader *reader,
                                       bool (*fn)(void *arg, struct at_text segment, uint64_t count),
                                       void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_MEMBER_COUNTS, &status);
    if (!statement) return status;
    return lend_all(reader, AT_SQL_MEMBER_COUNTS, statement, lend_count,
                    (struct lending){.count = fn, .arg = arg});
}

enum at_status at_reader_rhythms(struct at_reader *reader,
                                 bool (*fn)(void *arg, uint64_t days, uint64_t people), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_RHYTHM_ALL, &status);
    if (!statement) return status;
    return lend_all(reader, AT_SQL_RHYTHM_ALL, statement, lend_rhythm,
                    (struct lending){.rhythm = fn, .arg = arg});
}

enum at_status at_reader_member_since(struct at_reader *reader, struct at_text segment, int64_t since_ms,
                                      uint64_t *count_out) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_MEMBER_SINCE, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, segment);
    sqlite3_bind_int64(statement, 2, since_ms);
    status = at_statement_number(&reader->connection, AT_SQL_MEMBER_SINCE, statement, count_out);
    return status == AT_OK ? AT_OK : at_reader_failed(reader, status);
}
