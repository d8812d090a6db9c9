/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of a history into the audit: each is parsed, given on and forgotten.
 */
#include "measure/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"

#define RECORD_MAX ((size_t)1 << 20)
#define WHERE_MAX  256

struct at_history {
    struct at_audit *audit;
    int64_t now_ms;
    char name[200]; /* of the file */
    uint64_t line;  /* of the record, from 1 */
    const struct at_order_rules *rules;
    struct at_bytes order; /* what the rows of one order inherit: its cells, one behind the other */
    struct at_text inherited[AT_ORDER_ROLES], inherited_key; /* in order */
    struct at_json_parser *parser;
    struct at_arena arena; /* of one record */
};

const struct at_order_need at_history_needs[] = {
    {AT_ORDER_BIT(AT_ORDER_ID) | AT_ORDER_BIT(AT_ORDER_LINE_OF), "order_id"},
    {AT_ORDER_BIT(AT_ORDER_PRODUCT_ID), "product_id"},
    {AT_ORDER_BIT(AT_ORDER_PRICE) | AT_ORDER_BIT(AT_ORDER_LINE_TOTAL), "price (or line_total)"},
    {0}};

struct at_history *at_history_new(struct at_audit *audit, int64_t now_ms) {
    struct at_history *history = calloc(1, sizeof *history);
    if (history) history->parser = at_json_parser_new(RECORD_MAX, 64);
    if (!history || !history->parser) {
        free(history);
        return NULL;
    }
    history->audit = audit;
    history->now_ms = now_ms;
    at_bytes_init(&history->order, AT_ORDER_ROLES * RECORD_MAX);
    at_arena_init(&history->arena, 4 * RECORD_MAX);
    return history;
}

void at_history_free(struct at_history *history) {
    if (!history) return;
    at_json_parser_free(history->parser);
    at_bytes_clear(&history->order);
    at_arena_clear(&history->arena);
    free(history);
}

void at_history_begin(struct at_history *history, const char *name, const struct at_order_rules *rules) {
    snprintf(history->name, sizeof history->name, "%s", name);
    history->rules = rules;
    history->inherited_key = AT_TEXT("");
}

static struct at_text where_of(const struct at_history *history, char room[WHERE_MAX]) {
    snprintf(room, WHERE_MAX, "%s:%llu", history->name, (unsigned long long)history->line);
    return at_text_of(room);
}

/* ---- order lines ---- */

/* Cells that speak of the order, where an export fills them on its first row only. */
static enum at_status inherit(struct at_history *history, struct at_order_row *row) {
    bool goes_on = row->key.length && at_text_equal(history->inherited_key, row->key);
    size_t offsets[AT_ORDER_ROLES];
    if (!goes_on) at_bytes_reset(&history->order);
    for (int i = 0; i < AT_ORDER_ROLES; i++) {
        bool is_of_row = AT_ORDER_OF_ROW & AT_ORDER_BIT(i);
        if (goes_on && !is_of_row && !row->cells[i].length) row->cells[i] = history->inherited[i];
        offsets[i] = history->order.length;
        if (!goes_on) at_bytes_add(&history->order, row->cells[i].data, row->cells[i].length);
    }
    if (goes_on) return AT_OK;
    size_t key = history->order.length;
    at_bytes_add(&history->order, row->key.data, row->key.length);
    if (history->order.failed) return AT_NOMEM;
    for (int i = 0; i < AT_ORDER_ROLES; i++)
        history->inherited[i] = (struct at_text){history->order.data + offsets[i], row->cells[i].length};
    history->inherited_key = (struct at_text){history->order.data + key, row->key.length};
    return AT_OK;
}

static struct at_text who(const struct at_text cells[AT_ORDER_ROLES]) {
    static const enum at_order_role others[] = {AT_ORDER_EMAIL, AT_ORDER_ANONYMOUS_ID, AT_ORDER_PHONE};
    struct at_text one = at_order_person_id(cells[AT_ORDER_USER_ID]);
    for (size_t i = 0; i < AT_LENGTH(others) && !one.length; i++) one = cells[others[i]];
    return one;
}

static bool is_cancelled(const struct at_order_rules *rules, const struct at_order_row *row) {
    struct at_text id = row->cells[AT_ORDER_ID].length ? row->cells[AT_ORDER_ID] : row->key;
    return at_order_is_refund_id(rules, id) || row->cells[AT_ORDER_CANCELLED_AT].length ||
           at_order_fate(row->cells[AT_ORDER_STATUS]) == AT_ORDER_NEVER_WAS;
}

static void fill_line(const struct at_order_rules *rules, const struct at_order_row *row,
                      struct at_audit_line *line) {
    struct at_text at = row->cells[AT_ORDER_AT];
    line->roles = at_order_columns_roles(rules->columns);
    line->order = row->key;
    line->product = row->cells[AT_ORDER_PRODUCT_ID];
    line->customer = who(row->cells);
    line->country = row->cells[AT_ORDER_COUNTRY];
    line->currency = row->cells[AT_ORDER_CURRENCY];
    if (!line->currency.length) line->currency = at_text_of(rules->currency);
    line->quantity = row->quantity;
    line->price = row->price;
    line->amount = row->quantity == 0 ? 0 : row->total;
    line->has_bad_time = at.length && at_order_time(rules, at, &line->at_ms, NULL) != AT_OK;
    line->is_cancelled = is_cancelled(rules, row);
}

enum at_status at_history_row(struct at_history *history, uint64_t line, const struct at_text *fields,
                              size_t count) {
    const struct at_order_columns *columns = history->rules->columns;
    struct at_order_row row;
    char where[WHERE_MAX];
    history->line = line;
    struct at_audit_line out = {.hash = count, .where = where_of(history, where)};
    if (count != columns->header_count) {
        at_audit_bad_row(history->audit, out.where);
        return AT_OK;
    }
    for (size_t i = 0; i < count; i++) out.hash = at_hash64_seed(fields[i].data, fields[i].length, out.hash);
    int title = columns->column[AT_ORDER_TITLE];
    if (title >= 0) out.title = fields[title]; /* as it stands: with a space more it is another one */
    at_order_row_read(columns, fields, count, &row);
    bool are_numbers = row.wrong == AT_ORDER_ROLES;
    are_numbers &= at_order_amount(row.cells[AT_ORDER_REVENUE], &out.revenue);
    are_numbers &= at_order_amount(row.cells[AT_ORDER_DISCOUNT], &out.discount);
    out.has_bad_number = !are_numbers;
    enum at_status status = columns->is_first_row_only ? inherit(history, &row) : AT_OK;
    if (status != AT_OK) return status;
    fill_line(history->rules, &row, &out);
    at_audit_order_line(history->audit, &out);
    return AT_OK;
}

/* ---- events ---- */

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
    row.received_ms = at_event_moment_of(json, "receivedAt", "received_at");
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
    row.original_ms = at_event_moment_of(json, "originalTimestamp", "original_timestamp");
    row.sent_ms = at_event_moment_of(json, "sentAt", "sent_at");
    if (!row.sent_ms) row.sent_ms = at_event_moment_of(batch, "sentAt", "sent_at");
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

enum at_status at_history_event(struct at_history *history, uint64_t line, struct at_text text) {
    struct at_json json;
    char where[WHERE_MAX];
    history->line = line;
    enum at_status status = at_json_parse(history->parser, text.data, text.length, false, &json, NULL);
    if (status == AT_NOMEM) return status;
    if (status != AT_OK || !at_json_is_object(json)) {
        at_audit_bad_row(history->audit, where_of(history, where));
        return AT_INVALID;
    }
    status = take_object(history, json);
    at_arena_reset(&history->arena);
    return status;
}
