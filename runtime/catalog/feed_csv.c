/* SPDX-License-Identifier: Apache-2.0
 *
 * Product feeds in CSV: the header's names become attributes, each row a JSON object. Cells are read as what
 * the catalog knows the column as; of unknown columns numbers, prices ("19.99 EUR") and true/false are
 * recognised, the rest is text.
 */
#include <stdlib.h>
#include <strings.h>
#include "catalog/feed_internal.h"

static enum at_status no_memory(struct at_error *err) {
    return at_fail(err, AT_NOMEM, NULL, "no memory to read this feed");
}

void at_feed_csv_clear(struct at_feed *feed) {
    at_csv_free(feed->csv);
    for (size_t i = 0; i < feed->column_count; i++) free(feed->columns[i].name);
    free(feed->columns);
}

/* ---- the delimiter: the one of tab, semicolon and comma that the first line has most of ---- */

static char find_delimiter(struct at_text header) {
    static const char known[] = {',', ';', '\t'};
    size_t counts[3] = {0}, best = 0;
    bool is_quoted = false;
    for (size_t i = 0; i < header.length && i < AT_RECORD_MAX && header.data[i] != '\n'; i++) {
        if (header.data[i] == '"') is_quoted = !is_quoted;
        for (size_t k = 0; k < 3 && !is_quoted; k++) counts[k] += header.data[i] == known[k];
    }
    for (size_t k = 1; k < 3; k++)
        if (counts[k] > counts[best]) best = k;
    return known[best];
}

enum at_status at_feed_csv_give(struct at_feed *feed, const char *text, size_t length, struct at_error *err) {
    struct at_bytes *head = &feed->input;
    if (feed->csv) {
        enum at_status status = at_csv_feed(feed->csv, text, length, feed->is_last);
        return status == AT_OK ? AT_OK : at_fail(err, status, NULL, "no room to read this feed");
    }
    at_bytes_add(head, text, length);
    if (head->failed) return no_memory(err);
    bool has_line = head->length && memchr(head->data, '\n', head->length);
    if (!has_line && !feed->is_last && head->length < AT_RECORD_MAX) return AT_OK;
    char delimiter = find_delimiter((struct at_text){head->data, head->length});
    feed->csv = at_csv_new(delimiter, AT_RECORD_MAX, AT_FEED_COLUMN_MAX);
    if (!feed->csv) return no_memory(err);
    enum at_status status = at_csv_feed(feed->csv, head->data ? head->data : "", head->length, feed->is_last);
    at_bytes_clear(head);
    return status == AT_OK ? AT_OK : at_fail(err, status, NULL, "no room to read this feed");
}

/* ---- columns ---- */

static struct at_text trim(struct at_text text) {
    while (text.length && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = (struct at_text){text.data + 1, text.length - 1};
    while (text.length && (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t'))
        text.length--;
    return text;
}

static bool is_any(struct at_text name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (at_text_is(name, names[i])) return true;
    return false;
}

static enum at_feed_reads kind_of_column(const struct at_feed *feed, struct at_text name) {
    /* Digits in these are names, not amounts. */
    static const char *const texts[] = {"id",   "sku",     "gtin",     "ean",       "upc",      "mpn",
                                        "isbn", "barcode", "title",    "brand",     "category", "description",
                                        "url",  "image",   "released", "updated_at"};
    static const char *const numbers[] = {"price", "list_price", "cost", "stock", "rating"};
    if (at_text_is(name, "id") || at_text_is(name, "updated_at")) return AT_READ_TEXT;
    int attribute = feed->root ? at_root_attribute(feed->root, name.data, name.length) : -1;
    if (attribute >= 0) {
        switch (at_root_attribute_at(feed->root, attribute)->kind) {
        case AT_ATTRIBUTE_NUMBER: return AT_READ_NUMBER;
        case AT_ATTRIBUTE_BOOL: return AT_READ_BOOL;
        case AT_ATTRIBUTE_LIST: return AT_READ_LIST;
        default: return AT_READ_TEXT;
        }
    }
    if (at_text_is(name, "tags")) return AT_READ_LIST;
    if (is_any(name, texts, AT_LENGTH(texts))) return AT_READ_TEXT;
    return is_any(name, numbers, AT_LENGTH(numbers)) ? AT_READ_NUMBER : AT_READ_GUESS;
}

static enum at_status read_header(struct at_feed *feed, const struct at_text *fields, size_t count,
                                  struct at_error *err) {
    feed->columns = calloc(count, sizeof *feed->columns);
    if (!feed->columns) return no_memory(err);
    for (; feed->column_count < count; feed->column_count++) {
        struct at_feed_column *column = &feed->columns[feed->column_count];
        struct at_text name = trim(fields[feed->column_count]);
        column->name = malloc(name.length + 1);
        if (!column->name) return no_memory(err);
        if (name.length) memcpy(column->name, name.data, name.length);
        column->name[name.length] = 0;
        column->length = name.length;
        column->kind = kind_of_column(feed, name);
    }
    return AT_OK;
}

/* ---- cells ---- */

static size_t count_digits(struct at_text text, size_t at) {
    size_t n = 0;
    while (at + n < text.length && text.data[at + n] >= '0' && text.data[at + n] <= '9') n++;
    return n;
}

/* The length of the JSON number the text begins with; 0: none. */
static size_t number_length(struct at_text text) {
    size_t at = text.length && text.data[0] == '-', whole = count_digits(text, at), digits;
    if (!whole || (whole > 1 && text.data[at] == '0')) return 0;
    at += whole;
    if (at < text.length && text.data[at] == '.') {
        if (!(digits = count_digits(text, at + 1))) return 0;
        at += 1 + digits;
    }
    if (at < text.length && (text.data[at] | 32) == 'e') {
        size_t sign = at + 1 < text.length && (text.data[at + 1] == '+' || text.data[at + 1] == '-');
        if (!(digits = count_digits(text, at + 1 + sign))) return 0;
        at += 1 + sign + digits;
    }
    return at;
}

static bool is_currency(struct at_text text) {
    return text.length == 4 && text.data[0] == ' ' && text.data[1] >= 'A' && text.data[1] <= 'Z' &&
           text.data[2] >= 'A' && text.data[2] <= 'Z' && text.data[3] >= 'A' && text.data[3] <= 'Z';
}

static bool put_number(struct at_json_out *out, struct at_text cell) {
    char digits[64];
    size_t length = number_length(cell);
    if (!length || length >= sizeof digits) return false;
    if (length < cell.length && !is_currency((struct at_text){cell.data + length, cell.length - length}))
        return false;
    memcpy(digits, cell.data, length);
    digits[length] = 0;
    double value = strtod(digits, NULL);
    if (!isfinite(value)) return false;
    at_json_put_number(out, value);
    return true;
}

static bool put_bool(struct at_json_out *out, struct at_text cell) {
    bool is_true = cell.length == 4 && strncasecmp(cell.data, "true", 4) == 0;
    if (!is_true && !(cell.length == 5 && strncasecmp(cell.data, "false", 5) == 0)) return false;
    at_json_put_bool(out, is_true);
    return true;
}

static void put_list(struct at_json_out *out, struct at_text cell) {
    char delimiter = memchr(cell.data, '|', cell.length)   ? '|'
                     : memchr(cell.data, ';', cell.length) ? ';'
                                                           : ',';
    at_json_open(out, '[');
    for (size_t from = 0; from <= cell.length;) {
        const char *stop =
            from < cell.length ? memchr(cell.data + from, delimiter, cell.length - from) : NULL;
        size_t to = stop ? (size_t)(stop - cell.data) : cell.length;
        struct at_text item = trim((struct at_text){cell.data + from, to - from});
        if (item.length) at_json_put_text(out, item);
        from = to + 1;
    }
    at_json_close(out, ']');
}

static void put_cell(struct at_json_out *out, const struct at_feed_column *column, struct at_text cell) {
    at_json_key_text(out, (struct at_text){column->name, column->length});
    bool is_done = false;
    if (column->kind == AT_READ_LIST) {
        put_list(out, cell);
        return;
    }
    if (column->kind == AT_READ_NUMBER || column->kind == AT_READ_GUESS) is_done = put_number(out, cell);
    if (!is_done && (column->kind == AT_READ_BOOL || column->kind == AT_READ_GUESS))
        is_done = put_bool(out, cell);
    if (!is_done) at_json_put_text(out, cell);
}

/* ---- rows ---- */

static enum at_status read_row(struct at_feed *feed, const struct at_text *fields, size_t count,
                               struct at_json *document, struct at_error *err) {
    if (count != feed->column_count)
        return at_fail(err, AT_INVALID, "bad_row", "the row has %zu cells, the header has %zu", count,
                       feed->column_count);
    at_bytes_reset(&feed->text);
    struct at_json_out out = at_json_out(&feed->text);
    at_json_open(&out, '{');
    for (size_t i = 0; i < count; i++) {
        struct at_text cell = trim(fields[i]);
        if (!cell.length || !feed->columns[i].length) continue;
        put_cell(&out, &feed->columns[i], cell);
    }
    at_json_close(&out, '}');
    if (feed->text.failed) return no_memory(err);
    return at_feed_parse(feed, (struct at_text){feed->text.data, feed->text.length}, document, err);
}

enum at_status at_feed_csv_next(struct at_feed *feed, struct at_json *document, size_t *line,
                                struct at_error *err) {
    const struct at_text *fields;
    size_t count;
    if (!feed->csv) return AT_NOTFOUND;
    for (;;) {
        enum at_status status = at_csv_next(feed->csv, &fields, &count, line, err);
        if (status != AT_OK) return status;
        if (count == 0 || (count == 1 && !trim(fields[0]).length)) continue;
        if (feed->columns) return read_row(feed, fields, count, document, err);
        status = read_header(feed, fields, count, err);
        if (status != AT_OK) return status;
    }
}
