/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads of identifiers, profiles, claims, cursors, products, generations and decisions. One row comes back in
 * the caller's arena, many are lent to a function. Every one may wait for the disk: reader threads call them.
 */
#include "store/internal.h"

#define SLICE_ROWS 512

static enum at_status get_text(struct at_reader *reader, enum at_sql which, struct at_text name,
                               struct at_text *out, struct at_arena *arena) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, which, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, name);
    int code = sqlite3_step(statement);
    return at_reader_end(reader, which, statement, code,
                         code == SQLITE_ROW && at_copy_text(arena, statement, 0, out));
}

/* ---- many ---- */

/* All rows of a table by its integer key, in slices: nobody waits for a long read. */
struct scan {
    enum at_sql which;
    int key;                                          /* its column */
    bool (*lend)(void *arg, sqlite3_stmt *statement); /* false: stop */
};
struct lending {
    union {
        bool (*identifier)(void *arg, const struct at_identifier_row *row);
        bool (*link)(void *arg, const struct at_link_row *row);
        bool (*unlink)(void *arg, const struct at_unlink_row *row);
        bool (*merge)(void *arg, const struct at_merge_row *row);
        bool (*product)(void *arg, const struct at_product_row *row);
        bool (*stat)(void *arg, uint32_t row, struct at_text body);
        bool (*waiting)(void *arg, const struct at_waiting_row *row);
    };
    void *arg;
};

static enum at_status read_all(struct at_reader *reader, struct scan scan, struct lending lending) {
    int64_t after = -1;
    for (int count = SLICE_ROWS; count == SLICE_ROWS;) {
        enum at_status status;
        sqlite3_stmt *statement = at_reader_take(reader, scan.which, &status);
        if (!statement) return status;
        int code;
        bool goes_on = true;
        sqlite3_bind_int64(statement, 1, after);
        sqlite3_bind_int(statement, 2, SLICE_ROWS);
        for (count = 0; goes_on && (code = sqlite3_step(statement)) == SQLITE_ROW; count++) {
            after = sqlite3_column_int64(statement, scan.key);
            goes_on = scan.lend(&lending, statement);
        }
        status = at_reader_end(reader, scan.which, statement, code, true);
        if (!goes_on || (status != AT_OK && status != AT_NOTFOUND)) return goes_on ? status : AT_OK;
    }
    return AT_OK;
}

/* ---- identity ---- */

typedef bool identifier_fn(void *arg, const struct at_identifier_row *row);

enum at_status at_reader_identifier(struct at_reader *reader, struct at_text kind, struct at_text value,
                                    struct at_identifier_row *out, struct at_arena *arena) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_IDENTIFIER_GET, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, kind);
    at_bind_text(statement, 2, value);
    int code = sqlite3_step(statement);
    bool copied = false;
    if (code == SQLITE_ROW) {
        out->id = at_column_number(statement, 0);
        out->person = at_column_number(statement, 1);
        out->since_ms = sqlite3_column_int64(statement, 2);
        out->kind =
            (struct at_text){at_arena_dup(arena, kind.data ? kind.data : "", kind.length), kind.length};
        out->value =
            (struct at_text){at_arena_dup(arena, value.data ? value.data : "", value.length), value.length};
        copied = out->kind.data && out->value.data;
    }
    return at_reader_end(reader, AT_SQL_IDENTIFIER_GET, statement, code, copied);
}

enum at_status at_reader_identifier_at(struct at_reader *reader, uint64_t id, struct at_identifier_row *out,
                                       struct at_arena *arena) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_IDENTIFIER_AT, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, id);
    int code = sqlite3_step(statement);
    bool copied = false;
    if (code == SQLITE_ROW) {
        *out = (struct at_identifier_row){.id = id,
                                          .person = at_column_number(statement, 3),
                                          .since_ms = sqlite3_column_int64(statement, 4)};
        copied =
            at_copy_text(arena, statement, 1, &out->kind) && at_copy_text(arena, statement, 2, &out->value);
    }
    return at_reader_end(reader, AT_SQL_IDENTIFIER_AT, statement, code, copied);
}

enum at_status at_reader_identifiers_of(struct at_reader *reader, uint64_t person, identifier_fn *fn,
                                        void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_IDENTIFIER_OF, &status);
    if (!statement) return status;
    int code;
    at_bind_number(statement, 1, person);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct at_identifier_row row = {at_column_number(statement, 0), at_column_text(statement, 1),
                                        at_column_text(statement, 2), person,
                                        sqlite3_column_int64(statement, 3)};
        if (!fn(arg, &row)) break;
    }
    status = at_reader_end(reader, AT_SQL_IDENTIFIER_OF, statement, code, true);
    return status == AT_NOTFOUND ? AT_OK : status;
}

static bool lend_identifier(void *arg, sqlite3_stmt *statement) {
    struct lending *lending = arg;
    struct at_identifier_row row = {at_column_number(statement, 0), at_column_text(statement, 1),
                                    at_column_text(statement, 2), at_column_number(statement, 3),
                                    sqlite3_column_int64(statement, 4)};
    return lending->identifier(lending->arg, &row);
}

enum at_status at_reader_identifiers(struct at_reader *reader, identifier_fn *fn, void *arg) {
    return read_all(reader, (struct scan){AT_SQL_IDENTIFIER_SLICE, 0, lend_identifier},
                    (struct lending){.identifier = fn, .arg = arg});
}

static struct at_link_row link_of(sqlite3_stmt *statement) {
    return (struct at_link_row){at_column_number(statement, 0),     at_column_number(statement, 1),
                                sqlite3_column_int64(statement, 2), at_column_text(statement, 3),
                                at_column_text(statement, 4),       at_column_text(statement, 5)};
}

enum at_status at_reader_links_of(struct at_reader *reader, uint64_t identifier,
                                  bool (*fn)(void *arg, const struct at_link_row *row), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_LINK_OF, &status);
    if (!statement) return status;
    int code;
    at_bind_number(statement, 1, identifier);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct at_link_row row = link_of(statement);
        if (!fn(arg, &row)) break;
    }
    status = at_reader_end(reader, AT_SQL_LINK_OF, statement, code, true);
    return status == AT_NOTFOUND ? AT_OK : status;
}

static bool lend_link(void *arg, sqlite3_stmt *statement) {
    struct lending *lending = arg;
    struct at_link_row row = link_of(statement);
    return lending->link(lending->arg, &row);
}

static bool lend_unlink(void *arg, sqlite3_stmt *statement) {
    struct lending *lending = arg;
    struct at_unlink_row row = {at_column_number(statement, 0), at_column_number(statement, 1),
                                sqlite3_column_int64(statement, 2), at_column_text(statement, 3)};
    return lending->unlink(lending->arg, &row);
}

static bool lend_merge(void *arg, sqlite3_stmt *statement) {
    struct lending *lending = arg;
    struct at_merge_row row = {at_column_number(statement, 0), at_column_number(statement, 1),
                               sqlite3_column_int64(statement, 2), at_column_number(statement, 3),
                               at_column_number(statement, 4)};
    return lending->merge(lending->arg, &row);
}

enum at_status at_reader_links(struct at_reader *reader, bool (*fn)(void *arg, const struct at_link_row *row),
                               void *arg) {
    return read_all(reader, (struct scan){AT_SQL_LINK_SLICE, 6, lend_link},
                    (struct lending){.link = fn, .arg = arg});
}

enum at_status at_reader_unlinks(struct at_reader *reader,
                                 bool (*fn)(void *arg, const struct at_unlink_row *row), void *arg) {
    return read_all(reader, (struct scan){AT_SQL_UNLINK_SLICE, 4, lend_unlink},
                    (struct lending){.unlink = fn, .arg = arg});
}

enum at_status at_reader_merges(struct at_reader *reader,
                                bool (*fn)(void *arg, const struct at_merge_row *row), void *arg) {
    return read_all(reader, (struct scan){AT_SQL_MERGE_SLICE, 5, lend_merge},
                    (struct lending){.merge = fn, .arg = arg});
}

/* ---- people ---- */

enum at_status at_reader_profile(struct at_reader *reader, uint64_t person, struct at_profile_row *out,
                                 struct at_arena *arena) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_PROFILE_GET, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, person);
    int code = sqlite3_step(statement);
    bool copied = false;
    if (code == SQLITE_ROW) {
        out->person = person;
        out->applied_seq = at_column_number(statement, 0);
        copied = at_copy_text(arena, statement, 1, &out->body);
    }
    return at_reader_end(reader, AT_SQL_PROFILE_GET, statement, code, copied);
}

enum at_status at_reader_claim(struct at_reader *reader, struct at_text kind, struct at_text key,
                               struct at_claim *out) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_CLAIM_GET, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, kind);
    at_bind_text(statement, 2, key);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        out->person = at_column_number(statement, 0);
        out->source = at_column_number(statement, 1);
        out->at_ms = sqlite3_column_int64(statement, 2);
    }
    return at_reader_end(reader, AT_SQL_CLAIM_GET, statement, code, true);
}

/* ---- what waits ---- */

static bool lend_waiting(void *arg, sqlite3_stmt *statement) {
    struct lending *lending = arg;
    struct at_waiting_row row = {at_column_number(statement, 5),     at_column_text(statement, 0),
                                 at_column_text(statement, 1),       at_column_text(statement, 2),
                                 sqlite3_column_int64(statement, 3), at_column_text(statement, 4)};
    return lending->waiting(lending->arg, &row);
}

enum at_status at_reader_waiting(struct at_reader *reader,
                                 bool (*fn)(void *arg, const struct at_waiting_row *row), void *arg) {
    return read_all(reader, (struct scan){AT_SQL_WAITING_SLICE, 5, lend_waiting},
                    (struct lending){.waiting = fn, .arg = arg});
}

enum at_status at_reader_waiting_for(struct at_reader *reader, struct at_text kind, struct at_text key,
                                     bool (*fn)(void *arg, const struct at_waiting_row *row), void *arg) {
    enum at_status status;
    struct lending lending = {.waiting = fn, .arg = arg};
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_WAITING_FOR, &status);
    if (!statement) return status;
    int code;
    at_bind_text(statement, 1, kind);
    at_bind_text(statement, 2, key);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        if (!lend_waiting(&lending, statement)) break;
    status = at_reader_end(reader, AT_SQL_WAITING_FOR, statement, code, true);
    return status == AT_NOTFOUND ? AT_OK : status;
}

/* ---- named things ---- */

enum at_status at_reader_cursor(struct at_reader *reader, struct at_text name, uint64_t *seq_out) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_CURSOR_GET, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, name);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) *seq_out = at_column_number(statement, 0);
    return at_reader_end(reader, AT_SQL_CURSOR_GET, statement, code, true);
}

enum at_status at_reader_state(struct at_reader *reader, struct at_text name, struct at_text *text_out,
                               struct at_arena *arena) {
    return get_text(reader, AT_SQL_STATE_GET, name, text_out, arena);
}

enum at_status at_reader_states(struct at_reader *reader, struct at_text begins,
                                bool (*fn)(void *arg, struct at_text name, struct at_text text), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_STATE_LIST, &status);
    if (!statement) return status;
    int code;
    bool goes_on = true;
    at_bind_text(statement, 1, begins);
    while (goes_on && (code = sqlite3_step(statement)) == SQLITE_ROW)
        goes_on = fn(arg, at_column_text(statement, 0), at_column_text(statement, 1));
    status = at_reader_end(reader, AT_SQL_STATE_LIST, statement, code, true);
    return status == AT_NOTFOUND ? AT_OK : status;
}

enum at_status at_reader_setting(struct at_reader *reader, struct at_text name, struct at_text *text_out,
                                 struct at_arena *arena) {
    return get_text(reader, AT_SQL_SETTING_GET, name, text_out, arena);
}

/* ---- products ---- */

static bool lend_product(void *arg, sqlite3_stmt *statement) {
    struct lending *lending = arg;
    struct at_product_row row = {(uint32_t)sqlite3_column_int64(statement, 0), at_column_text(statement, 1),
                                 sqlite3_column_int64(statement, 2), sqlite3_column_int(statement, 3) != 0,
                                 at_column_text(statement, 4)};
    return lending->product(lending->arg, &row);
}

static bool lend_stat(void *arg, sqlite3_stmt *statement) {
    struct lending *lending = arg;
    return lending->stat(lending->arg, (uint32_t)sqlite3_column_int64(statement, 0),
                         at_column_text(statement, 1));
}

enum at_status at_reader_products(struct at_reader *reader,
                                  bool (*fn)(void *arg, const struct at_product_row *row), void *arg) {
    return read_all(reader, (struct scan){AT_SQL_PRODUCT_SLICE, 0, lend_product},
                    (struct lending){.product = fn, .arg = arg});
}

enum at_status at_reader_product_stats(struct at_reader *reader,
                                       bool (*fn)(void *arg, uint32_t row, struct at_text body), void *arg) {
    return read_all(reader, (struct scan){AT_SQL_PRODUCT_STAT_SLICE, 0, lend_stat},
                    (struct lending){.stat = fn, .arg = arg});
}

/* ---- decisions ---- */

static void bind_decisions_from(struct at_reader *reader, sqlite3_stmt *statement) {
    sqlite3_bind_int64(statement, 2, atomic_load(&reader->store->decisions_from_ms));
}

enum at_status at_reader_decision(struct at_reader *reader, struct at_text id, struct at_decision_row *out,
                                  struct at_arena *arena) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_DECISION_GET, &status);
    if (!statement) return status;
    at_bind_text(statement, 1, id);
    bind_decisions_from(reader, statement);
    int code = sqlite3_step(statement);
    bool copied = false;
    if (code == SQLITE_ROW) {
        out->at_ms = sqlite3_column_int64(statement, 1);
        out->person = at_column_number(statement, 2);
        copied = at_copy_text(arena, statement, 0, &out->id) && at_copy_text(arena, statement, 3, &out->body);
    }
    return at_reader_end(reader, AT_SQL_DECISION_GET, statement, code, copied);
}

enum at_status at_reader_decisions_of(struct at_reader *reader, uint64_t person, uint32_t limit,
                                      bool (*fn)(void *arg, const struct at_decision_row *row), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_DECISION_OF, &status);
    if (!statement) return status;
    int code;
    at_bind_number(statement, 1, person);
    bind_decisions_from(reader, statement);
    sqlite3_bind_int64(statement, 3, limit);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct at_decision_row row = {at_column_text(statement, 0), sqlite3_column_int64(statement, 1),
                                      at_column_number(statement, 2), at_column_text(statement, 3)};
        if (!fn(arg, &row)) break;
    }
    status = at_reader_end(reader, AT_SQL_DECISION_OF, statement, code, true);
    return status == AT_NOTFOUND ? AT_OK : status;
}
