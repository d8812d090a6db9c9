/* SPDX-License-Identifier: Apache-2.0
 *
 * Every table of the database, and whether it holds something of a person: the one list that an export reads
 * and that a test holds against the schema, so that a table nobody thought of cannot come in. How the rows of
 * an erased person go again is in scrub.c, which the same test holds against this list.
 */
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define PEOPLE  "(SELECT value FROM json_each(?1))"
#define SOURCES "(SELECT id FROM identifier WHERE person IN " PEOPLE ")"

/* Without a person: what the table is instead. */
const struct at_table at_tables[] = {
    {"identifier", "SELECT * FROM identifier WHERE person IN " PEOPLE " ORDER BY id", NULL, NULL},
    {"link", "SELECT * FROM link WHERE a IN " SOURCES " OR b IN " SOURCES " ORDER BY number", NULL, NULL},
    {"unlink", "SELECT * FROM unlink WHERE a IN " SOURCES " OR b IN " SOURCES " ORDER BY number", NULL, NULL},
    {"merge", "SELECT * FROM merge WHERE survivor IN " PEOPLE " OR loser IN " PEOPLE " ORDER BY number", NULL,
     NULL},
    {"event",
     "SELECT e.* FROM timeline t CROSS JOIN event e ON e.seq = t.seq WHERE t.source IN " SOURCES
     " ORDER BY e.seq",
     "facts,body", NULL},
    {"claim", "SELECT * FROM claim WHERE person IN " PEOPLE " AND person <> 0 ORDER BY kind, key", NULL,
     "an order that was counted is not counted again: its number stays, without the person"},
    {"profile", "SELECT * FROM profile WHERE person IN " PEOPLE, "body", NULL},
    {"decision", "SELECT * FROM decision WHERE person IN " PEOPLE " AND person <> 0 ORDER BY number", "body",
     NULL},
    {"segment_member", "SELECT * FROM segment_member WHERE person IN " PEOPLE " ORDER BY segment", NULL,
     NULL},
    {"segment_due", "SELECT * FROM segment_due WHERE person IN " PEOPLE, NULL, NULL},
    {"request", "SELECT * FROM request WHERE person IN " PEOPLE " AND person <> 0 ORDER BY number", "detail",
     "that they asked, and what was done, is the proof of it; no address is in it"},
    {"access", "SELECT * FROM access WHERE person IN " PEOPLE " ORDER BY number", NULL,
     "who looked is evidence against who looked; the person is a number that leads nowhere any more"},
    {"timeline", NULL, NULL, "numbers: which events a source has; they go with the events"},
    {"message_run", NULL, NULL, "when a run was sealed"},
    {"message_part", NULL, NULL, "hashes of message ids"},
    {"cursor", NULL, NULL, "how far a consumer is"},
    {"state", NULL, NULL, "what was learned of all together; the day's counts"},
    {"setting", NULL, NULL, "the shop's"},
    {"product", NULL, NULL, "the catalog"},
    {"product_stat", NULL, NULL, "counts of products"},
    {"generation", NULL, NULL, "scripts"},
    {"generation_file", NULL, NULL, "scripts"},
    {"file_text", NULL, NULL, "scripts"},
    {"erasure", NULL, NULL, "that somebody was erased: a number that leads nowhere"},
    {"erased_source", NULL, NULL, "numbers, until they are scrubbed"},
    {"erased_person", NULL, NULL, "numbers, until they are scrubbed"},
    {"suppressed", NULL, NULL, "keyed hashes; the key is not in the database"},
    {"waiting", NULL, NULL, "refunds and stock, told too early: by the numbers of their orders and products"},
    {"money", NULL, NULL, "a day, a sum and products"},
    {"rhythm", NULL, NULL, "how many people have which gap between purchases: of who goes, one less"},
    {NULL, NULL, NULL, NULL},
};

static bool is_json(const struct at_table *table, const char *column) {
    size_t length = strlen(column);
    for (const char *at = table->json; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, column, length) == 0 && (at[length] == ',' || !at[length])) return true;
    }
    return false;
}

static struct at_personal_value value_of(const struct at_table *table, sqlite3_stmt *statement, int column) {
    struct at_personal_value value = {.column = sqlite3_column_name(statement, column)};
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        value.kind = AT_VALUE_NUMBER;
        value.number = sqlite3_column_int64(statement, column);
        break;
    case SQLITE_FLOAT:
        value.kind = AT_VALUE_REAL;
        value.real = sqlite3_column_double(statement, column);
        break;
    case SQLITE_NULL: value.kind = AT_VALUE_NULL; break;
    default:
        value.kind = is_json(table, value.column) ? AT_VALUE_JSON : AT_VALUE_TEXT;
        value.text = at_column_text(statement, column);
    }
    return value;
}

#define COLUMNS_MAX 32

static int lend_rows(const struct at_table *table, sqlite3_stmt *statement,
                     const struct at_personal_rows *rows) {
    struct at_personal_value values[COLUMNS_MAX];
    int count = sqlite3_column_count(statement), code;
    AT_ASSERT(count <= COLUMNS_MAX);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < count; i++) values[i] = value_of(table, statement, i);
        if (!rows->row(rows->arg, values, (uint32_t)count)) return SQLITE_ABORT;
    }
    return code;
}

static int read_table(struct at_reader *reader, const struct at_table *table, const char *people,
                      const struct at_personal_rows *rows) {
    sqlite3_stmt *statement = NULL;
    if (!rows->table(rows->arg, table->name)) return SQLITE_ABORT;
    int code = sqlite3_prepare_v2(reader->connection.db, table->select, -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_bind_text(statement, 1, people, -1, SQLITE_STATIC);
    if (code == SQLITE_OK) code = lend_rows(table, statement, rows);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* [1,2,3] */
static char *list_people(const uint64_t *people, size_t count) {
    size_t room = count * 21 + 3, length = 1;
    char *list = malloc(room);
    if (!list) return NULL;
    list[0] = '[';
    for (size_t i = 0; i < count; i++)
        length += (size_t)snprintf(list + length, room - length, "%s%llu", i ? "," : "",
                                   (unsigned long long)people[i]);
    memcpy(list + length, "]", 2);
    return list;
}

enum at_status at_reader_personal(struct at_reader *reader, const uint64_t *people, size_t count,
                                  const struct at_personal_rows *rows) {
    char *list = list_people(people, count);
    if (!list) return AT_NOMEM;
    int code = sqlite3_exec(reader->connection.db, "BEGIN", NULL, NULL, NULL); /* one snapshot for all */
    bool has_begun = code == SQLITE_OK;
    for (const struct at_table *table = at_tables; table->name && code == SQLITE_OK; table++)
        if (table->select) code = read_table(reader, table, list, rows);
    if (has_begun) sqlite3_exec(reader->connection.db, "COMMIT", NULL, NULL, NULL);
    free(list);
    if (code == SQLITE_ABORT) return AT_OK; /* it was stopped by who asked */
    return code == SQLITE_OK ? AT_OK : at_reader_failed(reader, at_sql_status(code));
}
