/* SPDX-License-Identifier: Apache-2.0
 *
 * CSV (RFC 4180) from text fed in pieces, for catalog feeds and imports. Owns the text not yet read; a record
 * is first found whole, then checked and split where it lies. Each byte is looked at once while its record is
 * incomplete, however small the pieces. A record that is bad or too large is skipped to its own end, so text
 * inside a quoted field never becomes a record. More liberal than the RFC in two things that real feeds do:
 * quotes within a field that does not begin with one are plain (5" screen), and empty lines are no records.
 */
#include "base/csv.h"

#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"

enum place { AT_FIELD, IN_PLAIN, IN_QUOTES, AFTER_QUOTE, AFTER_CR, IN_BROKEN };

struct at_csv {
    struct at_bytes input;
    size_t start, scan; /* of the record being looked for: its first byte, the byte to look at next */
    enum place place;   /* of scan */
    size_t line;        /* of scan, from 1 */
    size_t record_line; /* of start */
    bool is_begun;      /* past the BOM, if there is one */
    bool is_last;       /* no more will be fed */
    bool is_skipping;   /* the record is over its limit and was reported */
    char delimiter;
    size_t max_record_bytes, max_fields;
    size_t count;
    struct at_text fields[];
};

struct at_csv *at_csv_new(char delimiter, size_t max_record_bytes, size_t max_fields) {
    AT_ASSERT(delimiter != '"' && delimiter != '\n' && delimiter != '\r');
    if (max_fields > (SIZE_MAX - sizeof(struct at_csv)) / sizeof(struct at_text)) return NULL;
    struct at_csv *csv = calloc(1, sizeof(*csv) + max_fields * sizeof(struct at_text));
    if (!csv) return NULL;
    at_bytes_init(&csv->input, SIZE_MAX);
    csv->line = csv->record_line = 1;
    csv->delimiter = delimiter;
    csv->max_record_bytes = max_record_bytes < SIZE_MAX - 1 ? max_record_bytes : SIZE_MAX - 2;
    csv->max_fields = max_fields;
    return csv;
}

void at_csv_free(struct at_csv *csv) {
    if (!csv) return;
    at_bytes_clear(&csv->input);
    free(csv);
}

/* Move what is left to the front once it is the smaller part, so that tiny pieces do not move it again and
 * again. */
static void compact(struct at_csv *csv) {
    struct at_bytes *input = &csv->input;
    size_t left = input->length - csv->start;
    if (!csv->start || left > csv->start) return;
    memmove(input->data, input->data + csv->start, left);
    input->length = left;
    csv->scan -= csv->start;
    csv->start = 0;
}

enum at_status at_csv_feed(struct at_csv *csv, const char *text, size_t length, bool is_last) {
    if (csv->is_last) return AT_INVALID;
    compact(csv);
    if (length) at_bytes_add(&csv->input, text, length);
    if (csv->input.failed) {
        csv->input.failed = false; /* nothing was added: the caller may try again */
        return AT_NOMEM;
    }
    csv->is_last = is_last;
    return AT_OK;
}

/* ---- finding a record ---- */

/* false: it may still become a BOM. */
static bool pass_bom(struct at_csv *csv) {
    static const char BOM[3] = {'\xEF', '\xBB', '\xBF'};
    size_t n = csv->input.length < 3 ? csv->input.length : 3;
    bool is_prefix = n == 0 || memcmp(csv->input.data, BOM, n) == 0;
    if (is_prefix && n < 3 && !csv->is_last) return false;
    if (is_prefix && n == 3) csv->start = csv->scan = 3;
    csv->is_begun = true;
    return true;
}

static enum place place_after(const struct at_csv *csv, char c) {
    bool is_delimiter = c == csv->delimiter;
    switch (csv->place) {
    case AT_FIELD:
        if (c == '"') return IN_QUOTES;
        return is_delimiter ? AT_FIELD : IN_PLAIN;
    case IN_PLAIN: return is_delimiter ? AT_FIELD : IN_PLAIN;
    case IN_QUOTES: return c == '"' ? AFTER_QUOTE : IN_QUOTES;
    case AFTER_QUOTE:
        if (c == '"') return IN_QUOTES;
        return is_delimiter ? AT_FIELD : c == '\r' ? AFTER_CR : IN_BROKEN;
    default: return IN_BROKEN;
    }
}

/* Whether the record's end is there: scan is at its newline, or at the end of all there is. */
static bool find_end(struct at_csv *csv) {
    const char *data = csv->input.data;
    for (; csv->scan < csv->input.length; csv->scan++) {
        char c = data[csv->scan];
        if (c == '\n' && csv->place != IN_QUOTES) return true;
        if (c == '\n') csv->line++;
        csv->place = place_after(csv, c);
    }
    return csv->is_last;
}

/* ---- reading it ---- */

/* The quoted field at p, unquoted where it lies; returns the byte behind its closing quote. */
static char *unquote(char *p, const char *end, struct at_text *field) {
    char *out = p, *first = p++;
    while (p < end) {
        char *quote = memchr(p, '"', (size_t)(end - p));
        AT_ASSERT(quote != NULL); /* find_end saw it close */
        bool is_doubled = quote + 1 < end && quote[1] == '"';
        size_t n = (size_t)(quote - p) + is_doubled;
        memmove(out, p, n);
        out += n;
        p = quote + 1 + is_doubled;
        if (!is_doubled) break;
    }
    *field = (struct at_text){first, (size_t)(out - first)};
    return p;
}

static bool split_record(struct at_csv *csv, char *p, const char *end) {
    csv->count = 0;
    for (;; p++) {
        if (csv->count == csv->max_fields) return false;
        struct at_text *field = &csv->fields[csv->count++];
        if (p < end && *p == '"') {
            p = unquote(p, end, field);
        } else {
            char *stop = p < end ? memchr(p, csv->delimiter, (size_t)(end - p)) : NULL;
            size_t n = stop ? (size_t)(stop - p) : (size_t)(end - p);
            *field = (struct at_text){p, n};
            p += n;
        }
        if (p == end) return true;
    }
}

static enum at_status fail_size(const struct at_csv *csv, struct at_error *err) {
    return at_fail(err, AT_TOOBIG, "record_too_big", "the record has more than %zu bytes",
                   csv->max_record_bytes);
}

static enum at_status read_record(struct at_csv *csv, char *text, size_t length, enum place place,
                                  struct at_error *err) {
    size_t bad;
    if (length > csv->max_record_bytes) return fail_size(csv, err);
    if (place == IN_QUOTES)
        return at_fail(err, AT_INVALID, "bad_csv",
                       "a quoted field has no closing quote before the end of the text");
    if (place == IN_BROKEN)
        return at_fail(err, AT_INVALID, "bad_csv",
                       "something follows the closing quote of a field; a quote within one is written \"\"");
    if (!at_utf8_valid(text, length, &bad))
        return at_fail(err, AT_INVALID, "bad_csv", "byte %zu of the record is not valid UTF-8", bad);
    char *nul = memchr(text, '\0', length);
    if (nul)
        return at_fail(err, AT_INVALID, "bad_csv", "byte %zu of the record is NUL; the text must be UTF-8",
                       (size_t)(nul - text));
    if (!split_record(csv, text, text + length))
        return at_fail(err, AT_TOOBIG, "too_many_fields", "the record has more than %zu fields",
                       csv->max_fields);
    return AT_OK;
}

/* Step over the record that ends at scan. */
static void pass_record(struct at_csv *csv) {
    if (csv->scan < csv->input.length) csv->scan++;
    csv->start = csv->scan;
    csv->record_line = ++csv->line;
    csv->place = AT_FIELD;
    csv->is_skipping = false;
}

/* No end in sight: over its limit a record is reported once, and what there is of it dropped as it comes. */
static enum at_status wait_for_more(struct at_csv *csv, size_t *line, struct at_error *err) {
    bool is_over = csv->scan - csv->start > csv->max_record_bytes + 1; /* 1: the CR of its end */
    bool was_skipping = csv->is_skipping;
    if (is_over || was_skipping) csv->start = csv->scan;
    if (!is_over || was_skipping) return AT_NOTFOUND;
    csv->is_skipping = true;
    *line = csv->record_line;
    return fail_size(csv, err);
}

enum at_status at_csv_next(struct at_csv *csv, const struct at_text **fields, size_t *count, size_t *line,
                           struct at_error *err) {
    *fields = csv->fields;
    *count = 0;
    if (!csv->is_begun && !pass_bom(csv)) return AT_NOTFOUND;
    for (;;) {
        if (!find_end(csv)) return wait_for_more(csv, line, err);
        bool was_skipping = csv->is_skipping;
        if (csv->start == csv->input.length && !was_skipping) return AT_NOTFOUND;
        char *text = csv->input.data + csv->start;
        size_t length = csv->scan - csv->start;
        enum place place = csv->place;
        *line = csv->record_line;
        pass_record(csv);
        if (length && text[length - 1] == '\r' && place != IN_QUOTES) length--;
        if (was_skipping || !length) continue;
        enum at_status status = read_record(csv, text, length, place, err);
        if (status == AT_OK) *count = csv->count;
        return status;
    }
}
