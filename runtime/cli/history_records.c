/* SPDX-License-Identifier: Apache-2.0
 *
 * Records cut from the bytes of a file: lines at line ends, elements of an array at the commas between them,
 * so that a bad one costs one. The buffer holds at most one record that is not whole; a longer one is
 * dropped as it comes and reported once.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "cli/history.h"

#define BUFFER      (4 * HISTORY_RECORD_MAX)
#define IS_SPACE(c) ((c) == ' ' || (c) == '\t' || (c) == '\r' || (c) == '\n')

enum kind { KIND_LINES, KIND_ARRAY, KIND_BATCH };
struct history_records {
    const struct cli_call *call;
    struct history_file *file;
    char *buffer;
    size_t at, scanned, end; /* first byte of the record, first byte not looked at, behind what was read */
    uint64_t line;           /* of at (lines), of scanned (elements) */
    uint64_t record_line;
    uint64_t count, chain;
    enum kind kind;
    bool are_lines;                      /* of it nothing else is thought */
    bool is_begun, is_read, is_over;     /* is_read: no more is in the file */
    bool is_dropping, has_records, ends; /* ends: the bracket behind the last element was passed */
    int depth;                           /* of an element */
    bool is_in_string, is_escaped;
};

uint64_t history_count(const struct history_records *records) {
    return records->count;
}
uint64_t history_chain(const struct history_records *records) {
    return records->chain;
}

struct history_records *history_records_open(const struct cli_call *call, struct history_file *file) {
    struct history_records *records = calloc(1, sizeof *records);
    if (records) records->buffer = calloc(1, BUFFER + AT_JSON_PADDING);
    if (!records || !records->buffer) {
        free(records);
        cli_fail(call, 0, "out of memory");
        return NULL;
    }
    records->call = call;
    records->file = file;
    records->line = 1;
    return records;
}

struct history_records *history_lines_open(const struct cli_call *call, struct history_file *file) {
    struct history_records *records = history_records_open(call, file);
    if (records) records->are_lines = true;
    return records;
}

void history_records_close(struct history_records *records) {
    if (!records) return;
    free(records->buffer);
    free(records);
}

int history_records_rewind(struct history_records *records) {
    struct history_records fresh = {.call = records->call,
                                    .file = records->file,
                                    .buffer = records->buffer,
                                    .are_lines = records->are_lines,
                                    .line = 1};
    *records = fresh;
    return history_file_rewind(records->file);
}

/* More bytes behind those that are there; what was consumed makes room. */
static int fill(struct history_records *records) {
    size_t length;
    if (records->at) {
        memmove(records->buffer, records->buffer + records->at, records->end - records->at);
        records->end -= records->at;
        records->scanned -= records->at;
        records->at = 0;
    }
    int code =
        history_file_read(records->file, records->buffer + records->end, BUFFER - records->end, &length);
    if (code) return code;
    records->end += length;
    records->is_read = length == 0;
    return EXIT_DONE;
}

/* ---- the beginning ---- */

static size_t skip_space(const struct history_records *records, size_t i) {
    while (i < records->end && IS_SPACE(records->buffer[i])) i++;
    return i;
}

static size_t skip_string(const struct history_records *records, size_t i) { /* i: behind the quote */
    for (; i < records->end && records->buffer[i] != '"'; i++)
        if (records->buffer[i] == '\\') i++;
    return i + 1;
}

/* Behind a value; beyond the end: it is not whole. */
static size_t skip_value(const struct history_records *records, size_t i) {
    int depth = 0;
    for (; i < records->end; i++) {
        char c = records->buffer[i];
        if (c == '"')
            i = skip_string(records, i + 1) - 1;
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && depth)
            depth--;
        else if (!depth && (c == ',' || c == '}' || c == ']'))
            return i;
    }
    return i + 1;
}

static bool is_name(const struct history_records *records, size_t from, size_t to, const char *name) {
    return to - from == strlen(name) && memcmp(records->buffer + from, name, to - from) == 0;
}

/* Walks members of an object, from behind its brace or a comma. True: "batch" and its array begin; *at is
 * behind the bracket; else where it ended. *has_context: a member "context" was passed. */
static bool find_batch(const struct history_records *records, size_t *at, bool *has_context) {
    const char *text = records->buffer;
    for (size_t i = *at;; i++) {
        i = *at = skip_space(records, i);
        if (i >= records->end || text[i] != '"') return false;
        size_t name = i + 1, after = skip_string(records, name);
        i = *at = skip_space(records, after);
        if (i >= records->end || text[i] != ':') return false;
        i = skip_space(records, i + 1);
        *has_context |= is_name(records, name, after - 1, "context");
        if (i < records->end && text[i] == '[' && is_name(records, name, after - 1, "batch")) {
            *at = i + 1;
            return true;
        }
        i = *at = skip_value(records, i);
        if (i >= records->end || text[i] != ',') return false;
    }
}

static int refuse_context(const struct history_records *records) {
    return cli_fail(records->call, EXIT_REFUSED,
                    "the file is one batch with a context for all its events: send it to POST /v1/import, or "
                    "put the context into each event");
}

static void count_lines(struct history_records *records, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) records->line += records->buffer[i] == '\n';
}

static void begin_array(struct history_records *records, size_t inside) {
    count_lines(records, records->at, inside);
    records->at = records->scanned = inside;
    records->has_records = records->ends = records->is_over = false;
}

static int begin(struct history_records *records) {
    bool has_context = false;
    while (!records->is_read && records->end < HISTORY_RECORD_MAX) {
        int code = fill(records);
        if (code) return code;
    }
    const char *text = records->buffer;
    size_t start = records->end >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    size_t i = skip_space(records, start), inside = i + 1;
    records->is_begun = true;
    records->at = records->scanned = start;
    if (i >= records->end || records->are_lines) return EXIT_DONE; /* nothing at all, or known what */
    if (text[i] == '{' && find_batch(records, &inside, &has_context))
        records->kind = KIND_BATCH;
    else if (text[i] == '[')
        records->kind = KIND_ARRAY;
    else if (text[i] == '{')
        return EXIT_DONE;
    else
        return cli_fail(records->call, EXIT_REFUSED,
                        "this is no file of events: read are JSON lines (one event a line), a JSON array and "
                        "{\"batch\":[…]}, each also as .gz");
    if (has_context && records->kind == KIND_BATCH) return refuse_context(records);
    begin_array(records, inside);
    return EXIT_DONE;
}

/* ---- cutting ---- */

static bool find_line_end(struct history_records *records) {
    const char *text = records->buffer;
    const char *stop = records->scanned < records->end
                           ? memchr(text + records->scanned, '\n', records->end - records->scanned)
                           : NULL;
    records->scanned = stop ? (size_t)(stop - text) : records->end;
    return stop || (records->is_read && (records->end > records->at || records->is_dropping));
}

static bool find_element_end(struct history_records *records) {
    for (; records->scanned < records->end; records->scanned++) {
        char c = records->buffer[records->scanned];
        records->line += c == '\n';
        if (records->is_escaped)
            records->is_escaped = false;
        else if (c == '"')
            records->is_in_string = !records->is_in_string;
        else if (records->is_in_string)
            records->is_escaped = c == '\\';
        else if (!records->depth && (c == ',' || c == ']'))
            return true;
        else if (c == '{' || c == '[')
            records->depth++;
        else if ((c == '}' || c == ']') && records->depth)
            records->depth--;
    }
    return false;
}

/* Reads on until the record is whole; false: there is no more of it, or *code says why. */
static bool find_end(struct history_records *records, int *code) {
    while (!(records->kind == KIND_LINES ? find_line_end(records) : find_element_end(records))) {
        if (records->is_read) return false;
        if (records->is_dropping || records->end - records->at > HISTORY_RECORD_MAX) {
            records->is_dropping = true;
            records->at = records->scanned;
        }
        *code = fill(records);
        if (*code) return false;
    }
    return true;
}

/* An element's line is that of its first byte. */
static int skip_to_element(struct history_records *records) {
    for (;;) {
        size_t start = skip_space(records, records->at);
        count_lines(records, records->at, start);
        records->at = records->scanned = start;
        if (start < records->end || records->is_read) return EXIT_DONE;
        int code = fill(records);
        if (code) return code;
    }
}

/* What else a batch says, unless it is a context, says nothing of its events. Another batch may follow it. */
static int end_array(struct history_records *records) {
    bool has_context = false, is_batch = records->kind == KIND_BATCH;
    records->is_over = true;
    while (!records->is_read && records->end - records->at < HISTORY_RECORD_MAX) {
        int code = fill(records);
        if (code) return code;
    }
    const char *text = records->buffer;
    size_t i = skip_space(records, records->at);
    if (is_batch && i < records->end && text[i] == ',') {
        i++;
        (void)find_batch(records, &i, &has_context);
    }
    if (has_context)
        return cli_fail(records->call, EXIT_REFUSED,
                        "behind the events stands a context for all of them: they were taken without it; put "
                        "the context into each event");
    if (is_batch && i < records->end && text[i] == '}') i = skip_space(records, i + 1);
    if (i >= records->end) return EXIT_DONE;
    size_t inside = i + 1;
    if (is_batch && text[i] == '{' && find_batch(records, &inside, &has_context)) {
        if (has_context) return refuse_context(records);
        begin_array(records, inside);
        return EXIT_DONE;
    }
    count_lines(records, records->at, i);
    return cli_fail(records->call, EXIT_REFUSED,
                    "line %llu: behind the events stands something else: what stood before it was taken",
                    (unsigned long long)records->line);
}

static int end_early(struct history_records *records) {
    records->is_over = true;
    if (records->kind == KIND_LINES) return EXIT_DONE;
    return cli_fail(records->call, EXIT_REFUSED,
                    "the file ends in the middle of its array of events (line %llu): it is not whole",
                    (unsigned long long)records->line);
}

/* The text from at to scanned, without space around it; at goes behind what ends it. */
static bool take(struct history_records *records, struct history_record *record) {
    const char *from = records->buffer + records->at, *to = records->buffer + records->scanned;
    bool is_too_long = records->is_dropping || (size_t)(to - from) > HISTORY_RECORD_MAX;
    bool is_cut = records->scanned < records->end, is_last = is_cut && *to == ']' && records->kind;
    while (from < to && IS_SPACE(*from)) from++;
    while (to > from && IS_SPACE(to[-1])) to--;
    record->text = (struct at_text){from, (size_t)(to - from)};
    record->line = records->kind == KIND_LINES ? records->line : records->record_line;
    record->wrong = is_too_long  ? "it is longer than a MiB; an event may have 32 KiB"
                    : from == to ? "there is nothing between two commas"
                                 : NULL;
    bool is_one = is_too_long || from < to || (records->kind && !(is_last && !records->has_records));
    if (records->kind == KIND_LINES) records->line += is_cut;
    records->at = records->scanned += is_cut;
    records->is_dropping = false;
    records->has_records = true;
    records->ends = is_last;
    return is_one;
}

bool history_next(struct history_records *records, struct history_record *record, int *code) {
    *code = records->is_begun ? EXIT_DONE : begin(records);
    while (!*code && !records->is_over) {
        if (records->ends) {
            *code = end_array(records);
            continue;
        }
        if (records->kind != KIND_LINES) *code = skip_to_element(records);
        records->record_line = records->line;
        if (*code) break;
        if (!find_end(records, code)) {
            if (!*code) *code = end_early(records);
            break;
        }
        if (!take(records, record)) continue; /* an empty line, or an empty array */
        records->count++;
        /* of one that was dropped nothing is left that would always be the same */
        size_t hashed = record->wrong ? 0 : record->text.length;
        records->chain = at_hash64_seed(record->text.data, hashed, records->chain);
        return true;
    }
    return false;
}
