/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of a file of orders, one a line of an order, put together to orders, and written as the events that
 * happened. The rows of one order need not stand together: a first pass notes where the last one of each is,
 * the second gives an order out with that row. Pure but for memory; one thread.
 *
 * What becomes of an order:
 *   - "Order Completed" with its products (rows of the same product and price together) and its revenue: the
 *     column that says it, else the sum of price x quantity over its rows less its discount.
 *   - "Order Refunded" for what was given back of it: the column that says so, else rows with a negative
 * quantity.
 *   - A refund by itself, where the id begins with the cancelled prefix or no row has a positive quantity: of
 * the order that refund_of names, or whose id follows the prefix and is in the file; else of no order, and
 * only subtracted from what the person spent. An order with a bad row is not taken: a sum that lacks a row
 * would be wrong.
 */
#ifndef AT_PROFILE_ORDER_LINES_H
#define AT_PROFILE_ORDER_LINES_H

#include "base/bytes.h"
#include "base/zone.h"
#include "profile/order_columns.h"

#define AT_ORDER_OPEN_ROWS_MAX 1000000 /* of orders whose last row has not come */

struct at_order_rules { /* outlive the book */
    const struct at_order_columns *columns;
    const char *at_format;        /* of base/time.h; NULL: ISO 8601 and what is like it */
    const struct at_zone *zone;   /* of times that say no offset; NULL: UTC */
    const char *currency;         /* where no column says it; NULL: none */
    const char *cancelled_prefix; /* NULL: none */
    bool guesses; /* as an audit may: "12/1/2010", month first unless that is no month, and "1.12.2010" */
    size_t max_open_rows; /* 0: AT_ORDER_OPEN_ROWS_MAX */
};
struct at_order_product {
    struct at_text id;
    double price, quantity; /* price missing: NAN */
};
struct at_order_seen { /* one order, whole; texts are lent until the next call */
    struct at_text id; /* order_id, or of a refund by itself refund_id */
    uint64_t line;     /* of its first row */
    uint32_t rows;
    struct at_text user_id, anonymous_id, email, phone, country, currency, coupon;
    int64_t at_ms;
    bool has_person;
    bool is_void;   /* by its status it never was one */
    bool is_order;  /* else a refund alone */
    double revenue; /* of is_order */
    const struct at_order_product *products;
    uint32_t product_count, left_out; /* left_out: an event has room for no more; the dearest are there */
    bool is_refunded, is_whole;       /* is_whole: no amount is said, all of it */
    double refunded;
    int64_t refunded_ms;
    struct at_text refund_id, refund_of; /* refund_of "": of no order that is known */
    const char *wrong;                   /* why it is not taken; NULL: it is */
    uint64_t wrong_line;
};

struct at_order_book;
extern const struct at_order_need at_order_book_needs[];                     /* of the rules' columns */
struct at_order_book *at_order_book_new(const struct at_order_rules *rules); /* NULL: out of memory */
void at_order_book_free(struct at_order_book *book);
/* First pass: each row, in order. AT_NOMEM; AT_TOOBIG: too many orders. */
enum at_status at_order_book_note(struct at_order_book *book, const struct at_text *fields,
                                  size_t count) AT_MUST_CHECK;
/* Second pass: the same rows. AT_OK: with this row the order *out is whole; AT_NOTFOUND: none is. AT_INVALID:
 * the row is bad (err says why), and names no order. AT_TOOBIG: too many rows wait for the last one of their
 * order. AT_NOMEM. */
enum at_status at_order_book_add(struct at_order_book *book, const struct at_text *fields, size_t count,
                                 uint64_t line, struct at_order_seen *out,
                                 struct at_error *err) AT_MUST_CHECK;
/* Behind the last row: orders that are still open, because the rows were not the same as in the first pass.
 * AT_NOTFOUND: none. */
enum at_status at_order_book_rest(struct at_order_book *book, struct at_order_seen *out) AT_MUST_CHECK;
/* The events of an order that is taken: 0 the order, 1 the refund; false: there is no such event of it. */
bool at_order_write(const struct at_order_seen *order, int which, struct at_bytes *out);

/* ---- order_values.c ---- */
struct at_order_row {                     /* what one row says */
    struct at_text cells[AT_ORDER_ROLES]; /* without space around; "": it says nothing */
    struct at_text key;                   /* what the rows of one order have in common */
    double quantity, price, total;        /* NAN: not said, no number, and not to be had of the others */
    enum at_order_role wrong;             /* the first of these that is no number; AT_ORDER_ROLES: none */
    bool has_line;                        /* it is a line of the order, and not only about it */
};
void at_order_row_read(const struct at_order_columns *columns, const struct at_text *fields, size_t count,
                       struct at_order_row *out);
struct at_text at_order_row_key(const struct at_order_columns *columns, const struct at_text *fields,
                                size_t count); /* the key alone */
/* "1,234.50" "2,55" "EUR 19.99" "(3.00)" "-3" as people write them: what stands last of comma and point is
 * the decimal sign, but a single one before three digits is none. False: no number. */
bool at_order_number(struct at_text text, double *out);
bool at_order_amount(struct at_text cell, double *out); /* the same; of an empty cell NAN */
/* By the rules' format and zone. AT_INVALID says what to do. */
enum at_status at_order_time(const struct at_order_rules *rules, struct at_text text, int64_t *ms,
                             struct at_error *err) AT_MUST_CHECK;
/* "17850.0" is 17850: tables that know only numbers write ids so. */
struct at_text at_order_person_id(struct at_text text);
bool at_order_is_refund_id(const struct at_order_rules *rules, struct at_text id); /* by its prefix */
enum at_order_fate { AT_ORDER_STANDS, AT_ORDER_NEVER_WAS, AT_ORDER_WHOLLY_REFUNDED };
enum at_order_fate at_order_fate(struct at_text status);

#endif
