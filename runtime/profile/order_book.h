/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to profile/: one order while its rows come, shared by order_lines.c (collecting) and order_events.c
 * (what it comes to).
 */
#ifndef AT_PROFILE_ORDER_BOOK_H
#define AT_PROFILE_ORDER_BOOK_H

#include "profile/order_lines.h"

struct span { /* of the order's text */
    uint32_t at, length;
};
struct order_line {
    struct span product;
    double price, quantity, total; /* NAN: not said */
    uint64_t line;
};
struct order {
    struct at_bytes text;
    struct span key, cells[AT_ORDER_IMPORTED];
    struct order_line *lines;
    uint32_t line_count, line_capacity, rows;
    uint64_t first_line;
    char wrong[200];
    uint64_t wrong_line;
    struct at_order_product *products;
    char *refund_id;
};
static inline struct at_text order_text(const struct order *order, struct span span) {
    return (struct at_text){order->text.data ? order->text.data + span.at : "", span.length};
}
const struct at_order_rules *order_rules(const struct at_order_book *book);
void order_refuse(struct order *order, uint64_t line, const char *why); /* the first reason counts */
void order_refuse_number(struct order *order, uint64_t line, enum at_order_role role, struct at_text text);
bool order_is_noted(const struct at_order_book *book, struct at_text id); /* the first pass saw it */
enum at_status order_finish(const struct at_order_book *book, struct order *order, struct at_order_seen *out);

#endif
