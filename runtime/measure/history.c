/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of a history, piece by piece, into the audit: a record at a time is parsed, given on and forgotten.
 */
#include "measure/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/csv.h"
#include "base/hash.h"
#include "measure/columns.h"

#define RECORD_MAX ((size_t)1 << 20)
#define PIECE_MIN  ((size_t)64 * 1024) /* a header is shorter */
#define WHERE_MAX  256

struct at_history {
    struct at_audit *audit;
    const char *map;
    int64_t now_ms;
    enum at_history_kind kind;
    char name[200]; /* of the file */
    size_t line;    /* of the record, from 1 */
    bool has_begun, has_any;
    /* lines */
    struct at_csv *csv;
    char delimiter;
    struct at_columns columns;
    struct at_text names[AT_COLUMNS_MAX]; /* in name_text */
    size_t name_count;
    struct at_bytes name_text;
    bool has_columns;
    struct at_bytes
        order; /* what the lines of one order inherit: its number, customer … in order of fields */
    struct at_text inherited[AT_AUDIT_FIELDS];
    /* events */
    struct at_json_parser *parser;
    struct at_bytes held; /* the beginning of a line that goes on in the next piece */
    bool is_dropping;     /* a line that is too long, to its end */
    struct at_arena arena;
};

enum at_status at_history_new(struct at_history **out, struct at_audit *audit, const char *map,
                              int64_t now_ms, struct at_error *err) {
    enum at_status status = at_columns_check_map(map, err);
    if (status != AT_OK) return status;
    struct at_history *history = calloc(1, sizeof *history);
    if (history) history->parser = at_json_parser_new(RECORD_MAX, 64);
    if (!history || !history->parser) {
        free(history);
        return at_fail(err, AT_NOMEM, NULL, "out of memory");
    }
    history->audit = audit;
    history->map = map;
    history->now_ms = now_ms;
    at_bytes_init(&history->name_text, RECORD_MAX + AT_COLUMNS_MAX);
    at_bytes_init(&history->order, RECORD_MAX + AT_COLUMNS_MAX);
    at_bytes_init(&history->held, SIZE_MAX); /* bounded by hold and by a piece */
    at_arena_init(&history->arena, 4 * RECORD_MAX);
    *out = history;
    return AT_OK;
}

void at_history_free(struct at_history *history) {
    if (!history) return;
    at_csv_free(history->csv);
    at_json_parser_free(history->parser);
    at_bytes_clear(&history->name_text);
    at_bytes_clear(&history->order);
    at_bytes_clear(&history->held);
    at_arena_clear(&history->arena);
    free(history);
}

void at_history_begin(struct at_history *history, enum at_history_kind kind, const char *name) {
    history->kind = kind;
    snprintf(history->name, sizeof history->name, "%s", name);
    history->line = 0;
    history->has_begun = history->has_any = history->is_dropping = false;
    at_bytes_reset(&history->held);
    at_bytes_reset(&history->order);
    memset(history->inherited, 0, sizeof history->inherited);
    at_csv_free(history->csv);
    history->csv = NULL;
}

static struct at_text where_of(const struct at_history *history, char room[WHERE_MAX]) {
    snprintf(room, WHERE_MAX, "%s:%zu", history->name, history->line);
    return at_text_of(room);
}

/* ---- order lines ---- */

static enum at_status read_header(struct at_history *history, const struct at_text *fields, size_t count,
                                  struct at_error *err) {
    at_bytes_reset(&history->name_text);
    history->name_count = count;
    for (size_t i = 0; i < count; i++) at_bytes_add(&history->name_text, fields[i].data, fields[i].length);
    if (history->name_text.failed) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    const char *at = history->name_text.data;
    for (size_t i = 0; i < count; i++) {
        history->names[i] = (struct at_text){at ? at : "", fields[i].length};
        at += fields[i].length;
    }
    enum at_status status = at_columns_find(&history->columns, history->names, count, history->map, err);
    history->has_columns = history->has_begun = status == AT_OK;
    if (status != AT_OK) at_error_prefix(err, "%s: ", history->name);
    return status;
}

/* Of an order, and said in its first line only. */
static bool is_inherited(enum at_audit_field field) {
    return field == AT_AUDIT_CUSTOMER || field == AT_AUDIT_TIME || field == AT_AUDIT_COUNTRY ||
           field == AT_AUDIT_CURRENCY || field == AT_AUDIT_CANCELLED;
}

static void inherit(struct at_history *history, struct at_text cells[AT_AUDIT_FIELDS]) {
    bool goes_on =
        history->order.length && at_text_equal(history->inherited[AT_AUDIT_ORDER], cells[AT_AUDIT_ORDER]);
    if (goes_on) {
        for (int i = 0; i < AT_AUDIT_FIELDS; i++)
            if (is_inherited((enum at_audit_field)i) && !cells[i].length) cells[i] = history->inherited[i];
        return;
    }
    size_t offsets[AT_AUDIT_FIELDS];
    at_bytes_reset(&history->order);
    for (int i = 0; i < AT_AUDIT_FIELDS; i++) {
        offsets[i] = history->order.length;
        at_bytes_add(&history->order, cells[i].data, cells[i].length);
    }
    for (int i = 0; i < AT_AUDIT_FIELDS && !history->order.failed; i++)
        history->inherited[i] = (struct at_text){history->order.data + offsets[i], cells[i].length};
}

static double number_in(struct at_history *history, struct at_text cell, struct at_audit_line *line) {
    if (!cell.length) return at_missing();
    double number = at_cell_number(cell, history->delimiter);
    line->has_bad_number |= at_is_missing(number);
    return number;
}

static bool is_marked(const struct at_history *history, struct at_text order, double quantity) {
    bool has_mark = order.length > 1 && (order.data[0] == 'C' || order.data[0] == 'c') &&
                    order.data[1] >= '0' && order.data[1] <= '9';
    return has_mark && (history->columns.marks_cancelled || (!at_is_missing(quantity) && quantity < 0));
}

static void fill_line(struct at_history *history, struct at_text cells[AT_AUDIT_FIELDS],
                      struct at_audit_line *line) {
    for (int i = 0; i < AT_AUDIT_FIELDS; i++)
        if (history->columns.at[i] != AT_COLUMN_NONE) line->has |= (uint32_t)1 << i;
    line->order = cells[AT_AUDIT_ORDER];
    line->product = cells[AT_AUDIT_PRODUCT];
    line->title = cells[AT_AUDIT_TITLE];
    line->customer = cells[AT_AUDIT_CUSTOMER];
    line->country = cells[AT_AUDIT_COUNTRY];
    line->currency = cells[AT_AUDIT_CURRENCY];
    line->quantity = number_in(history, cells[AT_AUDIT_QUANTITY], line);
    line->price = number_in(history, cells[AT_AUDIT_PRICE], line);
    line->subtotal = number_in(history, cells[AT_AUDIT_SUBTOTAL], line);
    line->discount = number_in(history, cells[AT_AUDIT_DISCOUNT], line);
    if (history->columns.at[AT_AUDIT_PRICE] == AT_COLUMN_NONE) {
        double amount = number_in(history, cells[AT_AUDIT_AMOUNT], line);
        bool is_known = !at_is_missing(amount) && !at_is_missing(line->quantity) && line->quantity != 0;
        line->price = is_known ? amount / line->quantity : amount;
    }
    line->has_bad_time = cells[AT_AUDIT_TIME].length && !at_cell_moment(cells[AT_AUDIT_TIME], &line->at_ms);
    line->is_cancelled =
        cells[AT_AUDIT_CANCELLED].length > 0 || is_marked(history, line->order, line->quantity);
}

static void take_record(struct at_history *history, const struct at_text *fields, size_t count) {
    struct at_text cells[AT_AUDIT_FIELDS] = {{NULL, 0}};
    struct at_audit_line line = {.hash = count};
    char where[WHERE_MAX];
    line.where = where_of(history, where);
    history->has_any = true;
    if (count != history->name_count) {
        at_audit_bad_row(history->audit, line.where);
        return;
    }
    for (size_t i = 0; i < count; i++)
        line.hash = at_hash64_seed(fields[i].data, fields[i].length, line.hash);
    for (int i = 0; i < AT_AUDIT_FIELDS; i++)
        if (history->columns.at[i] != AT_COLUMN_NONE) cells[i] = fields[history->columns.at[i]];
    if (history->columns.inherits) inherit(history, cells);
    fill_line(history, cells, &line);
    at_audit_order_line(history->audit, &line);
}

/* The header decides how cells are told apart: what comes is held until it is whole. */
static enum at_status open_lines(struct at_history *history, const char **text, size_t *length,
                                 bool is_last) {
    at_bytes_add(&history->held, *text, *length);
    if (history->held.failed) return AT_NOMEM;
    *text = history->held.data ? history->held.data : "";
    *length = history->held.length;
    if (!is_last && *length < PIECE_MIN && !memchr(*text, '\n', *length)) return AT_BUSY;
    history->delimiter = at_columns_delimiter((struct at_text){*text, *length});
    history->csv = at_csv_new(history->delimiter, RECORD_MAX, AT_COLUMNS_MAX);
    return history->csv ? AT_OK : AT_NOMEM;
}

static enum at_status give_lines(struct at_history *history, const char *text, size_t length, bool is_last,
                                 struct at_error *err) {
    const struct at_text *fields;
    size_t count;
    enum at_status opened = history->csv ? AT_OK : open_lines(history, &text, &length, is_last);
    if (opened == AT_BUSY) return AT_OK;
    if (opened != AT_OK || at_csv_feed(history->csv, text, length, is_last) != AT_OK)
        return at_fail(err, AT_NOMEM, NULL, "out of memory");
    for (;;) {
        struct at_error why = {0};
        enum at_status status = at_csv_next(history->csv, &fields, &count, &history->line, &why);
        if (status == AT_NOTFOUND) break;
        if (status != AT_OK && !history->has_begun)
            return at_fail(err, AT_UNPROCESSABLE, "no_header",
                           "%s: its first line is no header of a CSV file: %s", history->name, why.message);
        char where[WHERE_MAX];
        if (status != AT_OK)
            at_audit_bad_row(history->audit, where_of(history, where));
        else if (history->has_begun)
            take_record(history, fields, count);
        else if ((status = read_header(history, fields, count, err)) != AT_OK)
            return status;
    }
    if (is_last && !history->has_begun)
        return at_fail(err, AT_UNPROCESSABLE, "empty", "%s is empty", history->name);
    return AT_OK;
}

/* ---- events ---- */

static int64_t moment_in(struct at_json json, const char *name, const char *other) {
    int64_t ms = 0;
    struct at_json value = at_json_get(json, name);
    if (!value.tape && other) value = at_json_get(json, other);
    return at_event_moment(value, &ms, NULL) ? ms : 0;
}

static uint32_t purposes_in(const struct at_event *event, struct at_text out[AT_CONSENT_OBJECT_MAX]) {
    struct at_consent_said said[AT_CONSENT_OBJECT_MAX];
    uint32_t count = 0;
    switch (at_consent_object(event->context, said, &count)) {
    case AT_CONSENT_ABSENT: return 0;
    case AT_CONSENT_READ: break;
    default: /* a no to all of them */
        out[0] = AT_TEXT("analytics");
        out[1] = AT_TEXT("personalization");
        return 2;
    }
    for (uint32_t i = 0; i < count; i++) out[i] = said[i].purpose;
    return count;
}

static enum at_status take_event(struct at_history *history, struct at_json json, struct at_json batch) {
    struct at_event event;
    struct at_error why = {0};
    char where[WHERE_MAX];
    struct at_text purposes[AT_CONSENT_OBJECT_MAX];
    struct at_audit_event row = {.event = &event, .where = where_of(history, where)};
    row.received_ms = moment_in(json, "receivedAt", "received_at");
    struct at_event_defaults defaults = {.context = at_json_get(batch, "context"),
                                         .sent_at = at_json_get(batch, "sentAt"),
                                         .received_ms = row.received_ms ? row.received_ms : history->now_ms,
                                         .is_import = true};
    enum at_status status = at_event_parse(&history->arena, json, &defaults, NULL, &event, &why);
    if (status == AT_NOMEM) return status;
    if (status != AT_OK) {
        at_audit_refused(history->audit, why.code, row.where);
        return AT_OK;
    }
    row.at_ms = event.at_ms;
    row.original_ms = moment_in(json, "originalTimestamp", "original_timestamp");
    row.sent_ms = moment_in(json, "sentAt", "sent_at");
    if (!row.sent_ms) row.sent_ms = moment_in(batch, "sentAt", "sent_at");
    row.purposes = purposes;
    row.purpose_count = purposes_in(&event, purposes);
    at_audit_event(history->audit, &row);
    return AT_OK;
}

static enum at_status take_object(struct at_history *history, struct at_json json) {
    struct at_json batch = at_json_get(json, "batch"), none = {0};
    enum at_status status = AT_OK;
    if (!at_json_is_array(batch)) return take_event(history, json, none);
    struct at_json_each it = at_json_each(batch);
    while (status == AT_OK && at_json_next(&it)) status = take_event(history, it.value, json);
    return status;
}

static enum at_status take_line(struct at_history *history, struct at_text text) {
    struct at_json json;
    char where[WHERE_MAX];
    history->line++;
    while (text.length && (unsigned char)text.data[text.length - 1] <= ' ') text.length--;
    if (!text.length) return AT_OK;
    enum at_status status = at_json_parse(history->parser, text.data, text.length, false, &json, NULL);
    if (status == AT_NOMEM) return status;
    if (status != AT_OK || !at_json_is_object(json)) {
        at_audit_bad_row(history->audit, where_of(history, where));
        return AT_OK;
    }
    history->has_any = true;
    status = take_object(history, json);
    at_arena_reset(&history->arena);
    return status;
}

/* A line over the limit is dropped as it comes, and counted once. */
static enum at_status hold(struct at_history *history, struct at_text piece) {
    history->is_dropping |= history->held.length + piece.length > RECORD_MAX;
    if (!history->is_dropping) at_bytes_add(&history->held, piece.data, piece.length);
    return history->held.failed ? AT_NOMEM : AT_OK;
}

static enum at_status end_held(struct at_history *history) {
    char where[WHERE_MAX];
    enum at_status status = AT_OK;
    if (history->is_dropping) {
        history->line++;
        at_audit_bad_row(history->audit, where_of(history, where));
    } else
        status = take_line(history, (struct at_text){history->held.data, history->held.length});
    at_bytes_reset(&history->held);
    history->is_dropping = false;
    return status;
}

static enum at_status give_events(struct at_history *history, const char *text, size_t length, bool is_last,
                                  struct at_error *err) {
    const char *at = text, *end = text + length;
    enum at_status status = AT_OK;
    while (status == AT_OK && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct at_text piece = {at, (size_t)((newline ? newline : end) - at)};
        bool is_alone = !history->held.length && !history->is_dropping;
        if (newline && is_alone)
            status = take_line(history, piece);
        else
            status = hold(history, piece);
        if (newline && !is_alone && status == AT_OK) status = end_held(history);
        at = newline ? newline + 1 : end;
    }
    if (status == AT_OK && is_last && (history->held.length || history->is_dropping))
        status = end_held(history);
    if (status != AT_OK) return at_fail(err, status, NULL, "out of memory");
    if (is_last && !history->has_any)
        return at_fail(err, AT_UNPROCESSABLE, "no_events", "%s: not one line of it is a JSON object",
                       history->name);
    return AT_OK;
}

enum at_status at_history_give(struct at_history *history, const char *text, size_t length, bool is_last,
                               struct at_error *err) {
    return history->kind == AT_HISTORY_LINES ? give_lines(history, text, length, is_last, err)
                                             : give_events(history, text, length, is_last, err);
}

const char *at_history_columns(const struct at_history *history) {
    return history->has_columns ? history->columns.known : NULL;
}

void at_history_tell(const struct at_history *history, struct at_bytes *out) {
    bool is_first = true;
    for (int i = 0; history->has_columns && i < AT_AUDIT_FIELDS; i++) {
        int at = history->columns.at[i];
        if (at == AT_COLUMN_NONE) continue;
        at_bytes_printf(out, "%s%.*s is the %s", is_first ? "" : ", ", (int)history->names[at].length,
                        history->names[at].data, at_audit_fields[i]);
        is_first = false;
    }
}
