/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads of generations and their files, which are kept by content: a text that many generations share is
 * there once.
 */
#include "store/internal.h"

static void read_generation(sqlite3_stmt *statement, struct at_generation_row *row) {
    *row = (struct at_generation_row){
        .id = at_column_number(statement, 0),
        .at_ms = sqlite3_column_int64(statement, 1),
        .tree_hash = at_column_text(statement, 2),
        .source = at_column_text(statement, 3),
        .message = at_column_text(statement, 4),
        .author = at_column_text(statement, 5),
        .file_count = at_column_number(statement, 6),
    };
}

static bool keep_text(struct at_arena *arena, struct at_text *text) {
    text->data = at_arena_dup(arena, text->data, text->length);
    return text->data != NULL;
}

static bool keep_generation(struct at_arena *arena, struct at_generation_row *row) {
    return keep_text(arena, &row->tree_hash) && keep_text(arena, &row->source) &&
           keep_text(arena, &row->message) && keep_text(arena, &row->author);
}

/* Generations never change, so the count, which came with the row, and the files may be of two statements. */
static enum at_status read_files(struct at_reader *reader, struct at_generation_row *out,
                                 struct at_arena *arena) {
    enum at_status status;
    size_t count = out->file_count;
    struct at_file_row *files = at_arena_zalloc(arena, count * sizeof(*files));
    if (!files) return AT_NOMEM;
    sqlite3_stmt *statement = at_statement_take(&reader->connection, AT_SQL_GENERATION_FILES, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, out->id);
    size_t n = 0;
    int code = SQLITE_DONE;
    while (n < count && status == AT_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        files[n] = (struct at_file_row){at_column_text(statement, 0), at_column_text(statement, 1)};
        if (!keep_text(arena, &files[n].path) || !keep_text(arena, &files[n].text)) status = AT_NOMEM;
        n++;
    }
    at_statement_give(&reader->connection, AT_SQL_GENERATION_FILES, statement);
    out->files = files;
    out->file_count = n;
    return status == AT_OK ? at_sql_status(code) : status;
}

enum at_status at_reader_generation(struct at_reader *reader, uint64_t id, bool with_files,
                                    struct at_generation_row *out, struct at_arena *arena) {
    enum at_status status;
    enum at_sql which = id ? AT_SQL_GENERATION_GET : AT_SQL_GENERATION_LIST;
    sqlite3_stmt *statement = at_statement_take(&reader->connection, which, &status);
    if (!statement) return at_reader_failed(reader, status);
    at_bind_number(statement, 1, id ? id : 1);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        read_generation(statement, out);
        if (!keep_generation(arena, out)) status = AT_NOMEM;
    } else {
        status = code == SQLITE_DONE ? AT_NOTFOUND : at_sql_status(code);
    }
    at_statement_give(&reader->connection, which, statement);
    if (status == AT_OK && with_files) status = read_files(reader, out, arena);
    return at_reader_failed(reader, status);
}

enum at_status at_reader_generations(struct at_reader *reader, uint32_t limit,
                                     bool (*fn)(void *arg, const struct at_generation_row *row), void *arg) {
    enum at_status status;
    sqlite3_stmt *statement = at_statement_take(&reader->connection, AT_SQL_GENERATION_LIST, &status);
    if (!statement) return at_reader_failed(reader, status);
    int code;
    sqlite3_bind_int64(statement, 1, limit);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct at_generation_row row;
        read_generation(statement, &row);
        if (!fn(arg, &row)) break;
    }
    at_statement_give(&reader->connection, AT_SQL_GENERATION_LIST, statement);
    return at_reader_failed(reader, at_sql_status(code));
}

enum at_status at_reader_generation_file(struct at_reader *reader, uint64_t id, struct at_text path,
                                         struct at_text *text_out, struct at_arena *arena) {
    enum at_status status;
    sqlite3_stmt *statement = at_reader_take(reader, AT_SQL_GENERATION_FILE, &status);
    if (!statement) return status;
    at_bind_number(statement, 1, id);
    at_bind_text(statement, 2, path);
    int code = sqlite3_step(statement);
    bool copied = code == SQLITE_ROW && at_copy_text(arena, statement, 0, text_out);
    return at_reader_end(reader, AT_SQL_GENERATION_FILE, statement, code, copied);
}
