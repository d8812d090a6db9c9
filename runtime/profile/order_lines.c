/* SPDX-License-Identifier: Apache-2.0
 *
 * The book of orders: rows collected until the last one of their order has come. Of an order everything is
 * kept in one text; what it comes to is in order_events.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "base/map.h"
#include "profile/order_book.h"

#define ORDERS_MAX ((size_t)64 << 20)

struct at_order_book {
    struct at_order_rules rules;
    struct at_intmap last; /* hash of an order's key → its last row, from 1 */
    uint64_t noted, row;
    struct at_map open; /* key → struct order * */
    size_t open_rows;
    struct order *given; /* lent to the caller */
};

struct at_order_book *at_order_book_new(const struct at_order_rules *rules) {
    struct at_order_book *book = calloc(1, sizeof *book);
    if (!book) return NULL;
    book->rules = *rules;
    if (!book->rules.max_open_rows) book->rules.max_open_rows = AT_ORDER_OPEN_ROWS_MAX;
    at_intmap_init(&book->last);
    at_map_init(&book->open);
    return book;
}

static void order_free(struct order *order) {
    if (!order) return;
    at_bytes_clear(&order->text);
    free(order->lines);
    free(order->products);
    free(order->refund_id);
    free(order);
}

void at_order_book_free(struct at_order_book *book) {
    if (!book) return;
    struct at_map_slot *slot;
    for (size_t i = 0; (slot = at_map_next(&book->open, &i));)
        order_free((struct order *)(uintptr_t)slot->value);
    order_free(book->given);
    at_map_clear(&book->open);
    at_intmap_clear(&book->last);
    free(book);
}

/* ---- the first pass ---- */

const struct at_order_need at_order_book_needs[] = {
    {AT_ORDER_BIT(AT_ORDER_ID) | AT_ORDER_BIT(AT_ORDER_LINE_OF), "order_id"},
    {AT_ORDER_BIT(AT_ORDER_AT), "at"},
    {AT_ORDER_WHO, "user_id (or email, phone, anonymous_id)"},
    {AT_ORDER_BIT(AT_ORDER_PRICE) | AT_ORDER_BIT(AT_ORDER_LINE_TOTAL) | AT_ORDER_BIT(AT_ORDER_REVENUE),
     "price (or line_total, revenue)"},
    {0}};

static uint64_t hash_of(struct at_text key) {
    uint64_t hash = at_hash64(key.data, key.length);
    return hash ? hash : 1;
}

bool order_is_noted(const struct at_order_book *book, struct at_text id) {
    return at_intmap_get(&book->last, hash_of(id)) != NULL;
}

const struct at_order_rules *order_rules(const struct at_order_book *book) {
    return &book->rules;
}

enum at_status at_order_book_note(struct at_order_book *book, const struct at_text *fields, size_t count) {
    struct at_text key = at_order_row_key(book->rules.columns, fields, count);
    book->noted++;
    if (!key.length) return AT_OK;
    if (book->last.count == ORDERS_MAX) return AT_TOOBIG;
    uint64_t *last = at_intmap_put(&book->last, hash_of(key), NULL);
    if (!last) return AT_NOMEM;
    *last = book->noted;
    return AT_OK;
}

/* ---- a row ---- */

void order_refuse(struct order *order, uint64_t line, const char *why) {
    if (order->wrong[0]) return;
    snprintf(order->wrong, sizeof order->wrong, "%.199s", why);
    order->wrong_line = line;
}

void order_refuse_number(struct order *order, uint64_t line, enum at_order_role role, struct at_text text) {
    char why[160];
    snprintf(why, sizeof why, "%s \"%.*s\" is no number", at_order_role_name(role),
             (int)(text.length < 40 ? text.length : 40), text.data);
    order_refuse(order, line, why);
}

static bool keep(struct order *order, struct at_text text, struct span *out) {
    *out = (struct span){(uint32_t)order->text.length, (uint32_t)text.length};
    at_bytes_add(&order->text, text.data, text.length);
    return !order->text.failed;
}

/* Of the cells that speak of the order the first that says something counts: many exports fill only one row.
 */
static enum at_status keep_cells(struct order *order, const struct at_order_row *row, uint64_t line) {
    for (int role = 0; role < AT_ORDER_IMPORTED; role++) {
        struct at_text text = row->cells[role];
        struct span *kept = &order->cells[role];
        if ((AT_ORDER_OF_ROW & AT_ORDER_BIT(role)) || !text.length) continue;
        if (!kept->length && !keep(order, text, kept)) return AT_NOMEM;
        if ((AT_ORDER_WHO & AT_ORDER_BIT(role)) && !at_text_equal(order_text(order, *kept), text)) {
            char why[120];
            snprintf(why, sizeof why, "it names another %s than the row before",
                     at_order_role_name((enum at_order_role)role));
            order_refuse(order, line, why);
        }
    }
    return AT_OK;
}

static struct order_line *new_line(struct order *order) {
    if (order->line_count == order->line_capacity) {
        uint32_t capacity = order->line_capacity ? order->line_capacity * 2 : 8;
        struct order_line *lines = realloc(order->lines, capacity * sizeof *lines);
        if (!lines) return NULL;
        order->lines = lines;
        order->line_capacity = capacity;
    }
    return &order->lines[order->line_count++];
}

static enum at_status keep_line(struct order *order, const struct at_order_row *row, uint64_t line) {
    if (row->wrong != AT_ORDER_ROLES) {
        order_refuse_number(order, line, row->wrong, row->cells[row->wrong]);
        return AT_OK;
    }
    if (!row->has_line) return AT_OK;
    struct order_line *kept = new_line(order);
    if (!kept) return AT_NOMEM;
    *kept = (struct order_line){
        .price = row->price, .quantity = row->quantity, .total = row->total, .line = line};
    return keep(order, row->cells[AT_ORDER_PRODUCT_ID], &kept->product) ? AT_OK : AT_NOMEM;
}

static struct order *open_order(struct at_order_book *book, struct at_text key, uint64_t line) {
    uint64_t *slot = at_map_put(&book->open, key.data, key.length, NULL);
    if (!slot || *slot) return slot ? (struct order *)(uintptr_t)*slot : NULL;
    struct order *order = calloc(1, sizeof *order);
    if (order) {
        at_bytes_init(&order->text, UINT32_MAX);
        order->first_line = line;
        if (!keep(order, key, &order->key)) {
            order_free(order);
            order = NULL;
        }
    }
    *slot = (uint64_t)(uintptr_t)order;
    if (!order) at_map_remove(&book->open, key.data, key.length);
    return order;
}

static enum at_status give(struct at_order_book *book, struct order *order, struct at_order_seen *out) {
    struct at_text key = order_text(order, order->key);
    book->open_rows -= order->rows;
    at_map_remove(&book->open, key.data, key.length);
    order_free(book->given);
    book->given = order;
    return order_finish(book, order, out);
}

enum at_status at_order_book_add(struct at_order_book *book, const struct at_text *fields, size_t count,
                                 uint64_t line, struct at_order_seen *out, struct at_error *err) {
    struct at_order_row row;
    at_order_row_read(book->rules.columns, fields, count, &row);
    uint64_t *last = row.key.length ? at_intmap_get(&book->last, hash_of(row.key)) : NULL;
    book->row++;
    if (!row.key.length) return at_fail(err, AT_INVALID, "no_order", "the row names no order");
    if (book->open_rows == book->rules.max_open_rows)
        return at_fail(err, AT_TOOBIG, "too_many_open",
                       "more than %zu rows wait for the last one of their order: sort the file by order",
                       book->rules.max_open_rows);
    struct order *order = open_order(book, row.key, line);
    enum at_status status = order ? keep_cells(order, &row, line) : AT_NOMEM;
    if (status == AT_OK) status = keep_line(order, &row, line);
    if (status != AT_OK) return at_fail(err, status, NULL, "out of memory");
    order->rows++;
    book->open_rows++;
    if (!last || book->row < *last) return AT_NOTFOUND;
    return give(book, order, out);
}

enum at_status at_order_book_rest(struct at_order_book *book, struct at_order_seen *out) {
    size_t i = 0;
    struct at_map_slot *slot = at_map_next(&book->open, &i);
    return slot ? give(book, (struct order *)(uintptr_t)slot->value, out) : AT_NOTFOUND;
}
