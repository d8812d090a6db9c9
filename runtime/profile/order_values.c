/* SPDX-License-Identifier: Apache-2.0
 *
 * Cells of files of orders: amounts, moments, ids, statuses, as programs and people write them; and what a
 * row of them says.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/time.h"
#include "profile/order_lines.h"

#define DIGITS_MAX 15 /* more no double holds exactly */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* From the first digit (or a sign or point before it) to the last. False: there is none. */
static bool cut_number(struct at_text *text, bool *is_negative) {
    size_t from = 0, to = text->length;
    while (from < to && !is_digit(text->data[from])) {
        *is_negative |= text->data[from] == '-' || text->data[from] == '(';
        from++;
    }
    while (to > from && !is_digit(text->data[to - 1])) to--;
    if (from == to) return false;
    if (from && (text->data[from - 1] == '.' || text->data[from - 1] == ',')) from--;
    *text = (struct at_text){text->data + from, to - from};
    return true;
}

/* Where the fraction begins: at the last of points and commas, if it stands there once and is not before
 * three digits that follow others, or both signs are there. text.length: no fraction. */
static size_t find_decimal(struct at_text text) {
    size_t last = text.length, same = 0, others = 0;
    for (size_t i = text.length; i-- > 0;) {
        char c = text.data[i];
        if (c != '.' && c != ',') continue;
        if (last == text.length) last = i;
        same += c == text.data[last];
        others += c != text.data[last];
    }
    if (last == text.length || same > 1) return text.length;
    bool is_group = text.data[last] == ',' && text.length - last == 4 && last > 0 && !others;
    return is_group ? text.length : last;
}

bool at_order_number(struct at_text text, double *out) {
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool is_negative = false;
    int64_t digits = 0;
    int count = 0, behind = 0;
    if (!cut_number(&text, &is_negative)) return false;
    size_t decimal = find_decimal(text);
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (is_digit(c)) {
            if (++count > DIGITS_MAX) return false;
            digits = digits * 10 + (c - '0');
            behind += i > decimal;
        } else if (i != decimal && c != ',' && c != '.' && c != ' ' && c != '\'')
            return false;
    }
    *out = (is_negative ? -1 : 1) * ((double)digits / powers[behind]);
    return true;
}

bool at_order_amount(struct at_text cell, double *out) {
    *out = NAN;
    return !cell.length || at_order_number(cell, out);
}

/* ---- moments ---- */

enum at_status at_order_time(const struct at_order_rules *rules, struct at_text text, int64_t *ms,
                             struct at_error *err) {
    enum { SURE = 12 }; /* of them leave no doubt */
    static const char *const usual[] = {"%Y-%m-%d %H:%M:%S",
                                        "%Y-%m-%d %H:%M:%S %z",
                                        "%Y-%m-%dT%H:%M:%S%z",
                                        "%Y-%m-%dT%H:%M:%S.%f%z",
                                        "%Y-%m-%dT%H:%M:%S",
                                        "%Y-%m-%d %H:%M",
                                        "%Y-%m-%d",
                                        "%Y-%m-%d %H:%M:%S.%f",
                                        "%Y-%m-%d %H:%M:%S.%f %z",
                                        "%Y/%m/%d %H:%M:%S",
                                        "%Y/%m/%d %H:%M",
                                        "%Y/%m/%d",
                                        "%m/%d/%Y %H:%M", /* those from here are guessed */
                                        "%m/%d/%Y %H:%M:%S",
                                        "%m/%d/%Y",
                                        "%d/%m/%Y %H:%M",
                                        "%d/%m/%Y %H:%M:%S",
                                        "%d/%m/%Y",
                                        "%d.%m.%Y %H:%M",
                                        "%d.%m.%Y %H:%M:%S",
                                        "%d.%m.%Y"};
    const char *const one[] = {rules->at_format}, *const *formats = rules->at_format ? one : usual;
    size_t count = rules->at_format ? 1 : rules->guesses ? AT_LENGTH(usual) : SURE;
    bool is_local = false;
    for (size_t i = 0; i < count; i++)
        if (at_time_parse_as(formats[i], text.data, text.length, ms, &is_local, err) == AT_OK) {
            if (is_local) *ms = at_zone_to_utc(rules->zone, *ms);
            return AT_OK;
        }
    if (rules->at_format) return AT_INVALID;
    return at_fail(
        err, AT_INVALID, "bad_time",
        "\"%.*s\" is not a time like 2026-11-26 06:31:25; if it is written otherwise, say how: --at-format "
        "\"%%d/%%m/%%Y %%H:%%M\"",
        (int)(text.length < 40 ? text.length : 40), text.data);
}

/* ---- ids and words ---- */

struct at_text at_order_person_id(struct at_text text) {
    size_t n = text.length;
    if (n < 3 || text.data[n - 1] != '0' || text.data[n - 2] != '.') return text;
    for (size_t i = 0; i < n - 2; i++)
        if (!is_digit(text.data[i])) return text;
    return (struct at_text){text.data, n - 2};
}

bool at_order_is_refund_id(const struct at_order_rules *rules, struct at_text id) {
    size_t length = rules->cancelled_prefix ? strlen(rules->cancelled_prefix) : 0;
    return length && id.length > length && memcmp(id.data, rules->cancelled_prefix, length) == 0;
}

enum at_order_fate at_order_fate(struct at_text status) {
    static const char *const never[] = {"cancelled",      "canceled", "voided",          "failed",
                                        "expired",        "trash",    "pending payment", "draft",
                                        "checkout-draft", "declined"};
    if (status.length > 3 && strncasecmp(status.data, "wc-", 3) == 0)
        status = (struct at_text){status.data + 3, status.length - 3};
    for (size_t i = 0; i < AT_LENGTH(never); i++)
        if (status.length == strlen(never[i]) && strncasecmp(status.data, never[i], status.length) == 0)
            return AT_ORDER_NEVER_WAS;
    bool is_refunded = status.length == 8 && strncasecmp(status.data, "refunded", 8) == 0;
    return is_refunded ? AT_ORDER_WHOLLY_REFUNDED : AT_ORDER_STANDS;
}

/* ---- a row ---- */

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct at_text trimmed(struct at_text text) {
    while (text.length && is_space(text.data[0])) text = (struct at_text){text.data + 1, text.length - 1};
    while (text.length && is_space(text.data[text.length - 1])) text.length--;
    return text;
}

static struct at_text cell(const struct at_order_columns *columns, const struct at_text *fields, size_t count,
                           enum at_order_role role) {
    int column = columns->column[role];
    struct at_text text =
        column < 0 || (size_t)column >= count ? (struct at_text){"", 0} : trimmed(fields[column]);
    bool is_guarded = text.length > 1 && text.data[0] == '\''; /* '0123: so that a table leaves it a text */
    return is_guarded ? (struct at_text){text.data + 1, text.length - 1} : text;
}

struct at_text at_order_row_key(const struct at_order_columns *columns, const struct at_text *fields,
                                size_t count) {
    bool has_group = columns->column[AT_ORDER_LINE_OF] >= 0;
    return cell(columns, fields, count, has_group ? AT_ORDER_LINE_OF : AT_ORDER_ID);
}

void at_order_row_read(const struct at_order_columns *columns, const struct at_text *fields, size_t count,
                       struct at_order_row *out) {
    const struct {
        enum at_order_role role;
        double *amount;
    } amounts[] = {{AT_ORDER_QUANTITY, &out->quantity},
                   {AT_ORDER_PRICE, &out->price},
                   {AT_ORDER_LINE_TOTAL, &out->total}};
    out->wrong = AT_ORDER_ROLES;
    for (int role = 0; role < AT_ORDER_ROLES; role++)
        out->cells[role] = cell(columns, fields, count, (enum at_order_role)role);
    out->key = at_order_row_key(columns, fields, count);
    out->has_line = out->cells[AT_ORDER_PRODUCT_ID].length > 0;
    for (size_t i = 0; i < AT_LENGTH(amounts); i++) {
        struct at_text text = out->cells[amounts[i].role];
        out->has_line |= text.length > 0;
        if (!at_order_amount(text, amounts[i].amount) && out->wrong == AT_ORDER_ROLES)
            out->wrong = amounts[i].role;
    }
    if (!out->cells[AT_ORDER_QUANTITY].length) out->quantity = 1;
    if (isnan(out->price) && out->quantity != 0) out->price = out->total / out->quantity;
    if (isnan(out->total)) out->total = out->price * out->quantity;
}
