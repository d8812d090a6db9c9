/* SPDX-License-Identifier: Apache-2.0
 *
 * Columns by the names they usually have, and cells as exports write them.
 */
#include "measure/columns.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 64

const char *const at_audit_fields[AT_AUDIT_FIELDS] = {
    [AT_AUDIT_ORDER] = "order",         [AT_AUDIT_PRODUCT] = "product",   [AT_AUDIT_TITLE] = "title",
    [AT_AUDIT_QUANTITY] = "quantity",   [AT_AUDIT_PRICE] = "price",       [AT_AUDIT_AMOUNT] = "amount",
    [AT_AUDIT_TIME] = "time",           [AT_AUDIT_CUSTOMER] = "customer", [AT_AUDIT_COUNTRY] = "country",
    [AT_AUDIT_CURRENCY] = "currency",   [AT_AUDIT_SUBTOTAL] = "subtotal", [AT_AUDIT_DISCOUNT] = "discount",
    [AT_AUDIT_CANCELLED] = "cancelled",
};

/* Without case, spaces and signs; the best first. */
static const char *const usual[AT_AUDIT_FIELDS][12] = {
    [AT_AUDIT_ORDER] = {"orderid", "ordernumber", "orderno", "invoiceno", "invoice", "invoiceid", "order",
                        "transactionid", "basketid"},
    [AT_AUDIT_PRODUCT] = {"productid", "stockcode", "sku", "lineitemsku", "itemid", "productcode", "product",
                          "articleid", "variantid"},
    [AT_AUDIT_TITLE] = {"title", "description", "productname", "lineitemname", "itemname", "producttitle"},
    [AT_AUDIT_QUANTITY] = {"quantity", "qty", "lineitemquantity", "units", "pieces"},
    [AT_AUDIT_PRICE] = {"unitprice", "price", "lineitemprice", "itemprice", "productprice"},
    [AT_AUDIT_AMOUNT] = {"amount", "linetotal", "lineamount", "salesvalue"},
    [AT_AUDIT_TIME] = {"createdat", "invoicedate", "orderdate", "orderedat", "timestamp", "time", "date",
                       "transactiontimestamp"},
    [AT_AUDIT_CUSTOMER] = {"customerid", "userid", "clientid", "customer", "email", "customeremail",
                           "householdid"},
    [AT_AUDIT_COUNTRY] = {"country", "billingcountry", "shippingcountry", "countrycode"},
    [AT_AUDIT_CURRENCY] = {"currency", "currencycode"},
    [AT_AUDIT_SUBTOTAL] = {"subtotal", "ordersubtotal"},
    [AT_AUDIT_DISCOUNT] = {"discountamount", "orderdiscount"},
    [AT_AUDIT_CANCELLED] = {"cancelledat", "canceledat", "cancelled", "canceled"},
};

static bool is_plain(struct at_text name, const char *plain) {
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
        bool is_sign = !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80);
        if (is_sign) continue;
        if (c != *plain++) return false;
    }
    return !*plain;
}

static int find_plain(const struct at_text *names, size_t count, const char *plain) {
    for (size_t i = 0; i < count; i++)
        if (is_plain(names[i], plain)) return (int)i;
    return AT_COLUMN_NONE;
}

static int find_usual(const struct at_text *names, size_t count, enum at_audit_field field) {
    for (size_t i = 0; i < AT_LENGTH(usual[field]) && usual[field][i]; i++) {
        int at = find_plain(names, count, usual[field][i]);
        if (at != AT_COLUMN_NONE) return at;
    }
    return AT_COLUMN_NONE;
}

/* ---- what is mapped ---- */

struct mapping { /* one of a map */
    enum at_audit_field field;
    struct at_text column;
};

static bool field_of(struct at_text word, enum at_audit_field *out) {
    for (int i = 0; i < AT_AUDIT_FIELDS; i++)
        if (at_text_is(word, at_audit_fields[i])) {
            *out = (enum at_audit_field)i;
            return true;
        }
    return false;
}

static enum at_status fail_map(struct at_text one, struct at_error *err) {
    char words[256] = "";
    size_t length = 0;
    for (int i = 0; i < AT_AUDIT_FIELDS; i++)
        length += (size_t)snprintf(words + length, sizeof words - length, "%s ", at_audit_fields[i]);
    return at_fail_field(
        err, AT_UNPROCESSABLE, "bad_map", "map",
        "--map is like order=Invoice,customer=Client, and \"%.*s\" is not; its fields are %s",
        (int)(one.length < 60 ? one.length : 60), one.data, words);
}

/* *map moves behind what was read; AT_NOTFOUND: there is nothing more. */
static enum at_status next_mapping(const char **map, struct mapping *out, struct at_error *err) {
    if (!*map || !**map) return AT_NOTFOUND;
    size_t length = strcspn(*map, ",");
    struct at_text one = {*map, length};
    *map += length + ((*map)[length] == ',');
    const char *equals = memchr(one.data, '=', one.length);
    if (!equals || !field_of((struct at_text){one.data, (size_t)(equals - one.data)}, &out->field))
        return fail_map(one, err);
    out->column = (struct at_text){equals + 1, one.length - (size_t)(equals + 1 - one.data)};
    return out->column.length ? AT_OK : fail_map(one, err);
}

enum at_status at_columns_check_map(const char *map, struct at_error *err) {
    struct mapping mapping;
    enum at_status status;
    while ((status = next_mapping(&map, &mapping, err)) == AT_OK) {}
    return status == AT_NOTFOUND ? AT_OK : status;
}

static void list_names(const struct at_text *names, size_t count, char *out, size_t size) {
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count && length + 48 < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%.*s", i ? ", " : "",
                                   (int)(names[i].length < 40 ? names[i].length : 40), names[i].data);
}

static enum at_status use_map(struct at_columns *columns, const struct at_text *names, size_t count,
                              const char *map, struct at_error *err) {
    struct mapping mapping;
    enum at_status status;
    while ((status = next_mapping(&map, &mapping, err)) == AT_OK) {
        char list[300];
        size_t i = 0;
        while (i < count && !at_text_equal(names[i], mapping.column)) i++;
        list_names(names, count, list, sizeof list);
        if (i == count)
            return at_fail_field(err, AT_UNPROCESSABLE, "no_column", at_audit_fields[mapping.field],
                                 "there is no column \"%.*s\"; the columns are %s",
                                 (int)mapping.column.length, mapping.column.data, list);
        columns->at[mapping.field] = (int)i;
        columns->known = "--map and their names";
    }
    return status == AT_NOTFOUND ? AT_OK : status;
}

/* ---- what is known ---- */

static void use_known(struct at_columns *columns, const struct at_text *names, size_t count) {
    int name = find_plain(names, count, "name");
    if (find_plain(names, count, "invoiceno") != AT_COLUMN_NONE &&
        find_plain(names, count, "stockcode") != AT_COLUMN_NONE) {
        columns->known = "UCI Online Retail";
        columns->marks_cancelled = true;
    } else if (name != AT_COLUMN_NONE && find_plain(names, count, "lineitemquantity") != AT_COLUMN_NONE) {
        columns->known = "Shopify orders_export";
        columns->at[AT_AUDIT_ORDER] = name;
        columns->at[AT_AUDIT_CUSTOMER] = find_plain(names, count, "email");
        columns->inherits = true;
    }
}

static enum at_status need(const struct at_columns *columns, const struct at_text *names, size_t count,
                           struct at_error *err) {
    static const enum at_audit_field needed[] = {AT_AUDIT_ORDER, AT_AUDIT_PRODUCT, AT_AUDIT_QUANTITY,
                                                 AT_AUDIT_PRICE};
    char missing[64] = "", map[96] = "", list[300];
    for (size_t i = 0; i < AT_LENGTH(needed); i++) {
        if (columns->at[needed[i]] != AT_COLUMN_NONE) continue;
        if (needed[i] == AT_AUDIT_PRICE && columns->at[AT_AUDIT_AMOUNT] != AT_COLUMN_NONE) continue;
        const char *word = at_audit_fields[needed[i]];
        size_t n = strlen(missing), m = strlen(map);
        snprintf(missing + n, sizeof missing - n, "%s the %s", n ? "," : "", word);
        snprintf(map + m, sizeof map - m, "%s%s=COLUMN", m ? "," : "", word);
    }
    if (!missing[0]) return AT_OK;
    list_names(names, count, list, sizeof list);
    return at_fail_field(err, AT_UNPROCESSABLE, "unknown_columns", "map",
                         "no column is%s (the columns are %s): say which with --map %s", missing, list, map);
}

enum at_status at_columns_find(struct at_columns *out, const struct at_text *names, size_t count,
                               const char *map, struct at_error *err) {
    *out = (struct at_columns){.known = "their names"};
    for (int i = 0; i < AT_AUDIT_FIELDS; i++) out->at[i] = find_usual(names, count, (enum at_audit_field)i);
    use_known(out, names, count);
    enum at_status status = use_map(out, names, count, map, err);
    return status == AT_OK ? need(out, names, count, err) : status;
}

char at_columns_delimiter(struct at_text head) {
    static const char delimiters[] = {',', ';', '\t'};
    size_t counts[sizeof delimiters] = {0}, best = 0;
    for (size_t i = 0; i < head.length && head.data[i] != '\n'; i++)
        for (size_t k = 0; k < sizeof delimiters; k++) counts[k] += head.data[i] == delimiters[k];
    for (size_t k = 1; k < sizeof delimiters; k++)
        if (counts[k] > counts[best]) best = k;
    return delimiters[best];
}

/* ---- cells ---- */

double at_cell_number(struct at_text cell, char delimiter) {
    char room[32];
    while (cell.length && cell.data[0] == ' ') cell = (struct at_text){cell.data + 1, cell.length - 1};
    while (cell.length && cell.data[cell.length - 1] == ' ') cell.length--;
    if (cell.length >= sizeof room) return at_missing();
    memcpy(room, cell.data, cell.length);
    for (size_t i = 0; i < cell.length && delimiter != ','; i++)
        if (room[i] == ',') room[i] = '.'; /* two of them are no number */
    return at_amount_of((struct at_text){room, cell.length});
}

struct numbers {
    int value[6], count;
    char separator; /* of the date */
};

/* Groups of digits: "12/1/2010 8:26:00". */
static bool read_numbers(struct at_text cell, struct numbers *out) {
    *out = (struct numbers){.count = 0};
    for (size_t i = 0; i < cell.length;) {
        int value = 0, digits = 0;
        while (i < cell.length && cell.data[i] >= '0' && cell.data[i] <= '9' && digits++ < 4)
            value = value * 10 + (cell.data[i++] - '0');
        if (!digits || out->count == 6) return false;
        out->value[out->count++] = value;
        if (i == cell.length) break;
        char c = cell.data[i++];
        if (out->count == 1) out->separator = c;
        char wanted = out->count < 3 ? out->separator : out->count == 3 ? ' ' : ':';
        if (c != wanted) return false;
    }
    return (out->separator == '/' || out->separator == '.') && (out->count == 3 || out->count >= 5);
}

static bool is_date(const struct numbers *in, int month, int day) {
    int year, read_month, read_day;
    if (month < 1 || month > 12 || day < 1 || day > 31 || in->value[2] < 1000) return false;
    at_date_of(at_day_of(in->value[2], month, day), &year, &read_month, &read_day);
    return read_day == day; /* the 31st of April is the 1st of May */
}

static bool read_slashes(struct at_text cell, int64_t *ms) {
    struct numbers in;
    if (!read_numbers(cell, &in)) return false;
    int month = in.value[0], day = in.value[1];
    if (in.separator == '.' || !is_date(&in, month, day)) {
        month = in.value[1];
        day = in.value[0];
    }
    if (!is_date(&in, month, day) || in.value[3] > 23 || in.value[4] > 59 || in.value[5] > 60) return false;
    *ms = at_day_of(in.value[2], month, day) * AT_DAY_MS + in.value[3] * AT_HOUR_MS +
          in.value[4] * AT_MINUTE_MS + in.value[5] * AT_SECOND_MS;
    return true;
}

bool at_cell_moment(struct at_text cell, int64_t *ms) {
    char room[64];
    if (at_time_parse(cell.data, cell.length, ms, NULL) == AT_OK) return true;
    if (cell.length > 6 && cell.length < sizeof room && cell.data[cell.length - 6] == ' ') { /* " -0500" */
        size_t head = cell.length - 6;
        memcpy(room, cell.data, head);
        memcpy(room + head, cell.data + head + 1, 5);
        if (at_time_parse(room, cell.length - 1, ms, NULL) == AT_OK) return true;
    }
    return read_slashes(cell, ms);
}
