/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV records of a file of history, with the chain of their hashes.
 */
#include <stdlib.h>
#include <string.h>
#include "base/csv.h"
#include "base/hash.h"
#include "cli/history.h"

#define PIECE (256 * 1024)

struct history_rows {
    const struct cli_call *call;
    struct history_file *file;
    struct at_csv *csv;
    struct at_text header[AT_ORDER_COLUMNS_MAX];
    size_t header_count;
    char *header_text;
    uint64_t count, chain, header_chain;
    char delimiter;
    bool is_read;
    struct at_error err;
    char piece[PIECE];
};

uint64_t history_rows_count(const struct history_rows *rows) {
    return rows->count;
}
uint64_t history_rows_chain(const struct history_rows *rows) {
    return rows->chain;
}
const char *history_rows_name(const struct history_rows *rows) {
    return history_file_name(rows->file);
}
const struct at_text *history_rows_header(const struct history_rows *rows, size_t *count) {
    *count = rows->header_count;
    return rows->header;
}

static void add_to_chain(struct history_rows *rows, const struct history_row *row) {
    uint64_t chain = at_mix64(rows->chain + row->count);
    for (size_t i = 0; i < row->count; i++)
        chain = at_hash64_seed(row->fields[i].data, row->fields[i].length, chain);
    rows->chain = chain;
}

/* What the first line has most of. */
static char guess_delimiter(const char *text, size_t length) {
    static const char delimiters[] = ",;\t|";
    size_t counts[4] = {0}, best = 0;
    for (size_t i = 0; i < length && text[i] != '\n'; i++)
        for (size_t k = 0; k < 4; k++) counts[k] += text[i] == delimiters[k];
    for (size_t k = 1; k < 4; k++)
        if (counts[k] > counts[best]) best = k;
    return delimiters[best];
}

static int feed(struct history_rows *rows) {
    size_t length;
    int code = history_file_read(rows->file, rows->piece, PIECE, &length);
    if (code) return code;
    if (!rows->csv) {
        if (!rows->delimiter) rows->delimiter = guess_delimiter(rows->piece, length);
        rows->csv = at_csv_new(rows->delimiter, HISTORY_RECORD_MAX, AT_ORDER_COLUMNS_MAX);
    }
    rows->is_read = length == 0;
    if (!rows->csv || at_csv_feed(rows->csv, rows->piece, length, rows->is_read) != AT_OK)
        return cli_fail(rows->call, EXIT_FAILED, "out of memory");
    return EXIT_DONE;
}

bool history_rows_next(struct history_rows *rows, struct history_row *row, int *code) {
    *code = EXIT_DONE;
    for (;;) {
        size_t line = 0;
        *row = (struct history_row){.count = 0};
        enum at_status status =
            rows->csv ? at_csv_next(rows->csv, &row->fields, &row->count, &line, &rows->err) : AT_NOTFOUND;
        if (status == AT_NOTFOUND) {
            if (rows->is_read) return false;
            *code = feed(rows);
            if (*code) return false;
            continue;
        }
        row->line = line;
        if (status != AT_OK) {
            row->count = 0;
            row->wrong = rows->err.message;
        }
        rows->count++;
        add_to_chain(rows, row);
        return true;
    }
}

/* ---- life ---- */

static int keep_header(struct history_rows *rows, const struct history_row *row) {
    size_t length = 0;
    for (size_t i = 0; i < row->count; i++) length += row->fields[i].length;
    rows->header_text = malloc(length + 1);
    if (!rows->header_text) return cli_fail(rows->call, EXIT_FAILED, "out of memory");
    char *at = rows->header_text;
    for (size_t i = 0; i < row->count; i++) {
        memcpy(at, row->fields[i].data, row->fields[i].length);
        rows->header[i] = (struct at_text){at, row->fields[i].length};
        at += row->fields[i].length;
    }
    rows->header_count = row->count;
    return EXIT_DONE;
}

static int read_header(struct history_rows *rows) {
    struct history_row row;
    int code;
    if (!history_rows_next(rows, &row, &code))
        return code ? code
                    : cli_fail(rows->call, EXIT_REFUSED,
                               "%s is empty: a line with the names of its columns comes first",
                               history_rows_name(rows));
    if (row.wrong)
        return cli_fail(rows->call, EXIT_REFUSED, "%s: the line with the names of the columns: %s",
                        history_rows_name(rows), row.wrong);
    rows->count = 0;
    rows->header_chain = rows->chain;
    return rows->header_text ? EXIT_DONE : keep_header(rows, &row);
}

struct history_rows *history_rows_open(const struct cli_call *call, struct history_file *file) {
    struct history_rows *rows = calloc(1, sizeof *rows);
    if (!rows) {
        cli_fail(call, 0, "out of memory");
        return NULL;
    }
    rows->call = call;
    rows->file = file;
    return rows;
}

void history_rows_close(struct history_rows *rows) {
    if (!rows) return;
    at_csv_free(rows->csv);
    free(rows->header_text);
    free(rows);
}

int history_rows_rewind(struct history_rows *rows) {
    at_csv_free(rows->csv);
    rows->csv = NULL;
    rows->is_read = false;
    rows->count = rows->chain = 0;
    int code = history_file_rewind(rows->file);
    return code ? code : read_header(rows);
}
