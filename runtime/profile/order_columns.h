/* SPDX-License-Identifier: Apache-2.0
 *
 * Which column of a file of orders is what. Known exports are recognised by their columns, others by usual
 * names; whatever was guessed can be said instead. Pure; texts are borrowed.
 */
#ifndef AT_PROFILE_ORDER_COLUMNS_H
#define AT_PROFILE_ORDER_COLUMNS_H

#include "base/bytes.h"

enum at_order_role {
    AT_ORDER_ID,      /* of the order, on its first row at least */
    AT_ORDER_LINE_OF, /* what its rows have in common, where that is not order_id */
    AT_ORDER_AT,
    AT_ORDER_USER_ID, /* who: one of the four at least */
    AT_ORDER_ANONYMOUS_ID,
    AT_ORDER_EMAIL,
    AT_ORDER_PHONE,
    AT_ORDER_COUNTRY,
    AT_ORDER_PRODUCT_ID,
    AT_ORDER_QUANTITY,   /* 1 without it; negative: given back */
    AT_ORDER_PRICE,      /* of one piece */
    AT_ORDER_LINE_TOTAL, /* of the row */
    AT_ORDER_REVENUE,  /* of the order, after discounts, before tax and shipping; else the sum of its rows */
    AT_ORDER_DISCOUNT, /* of the order, off the sum of its rows */
    AT_ORDER_REFUNDED, /* of the order: given back of it */
    AT_ORDER_REFUNDED_AT,
    AT_ORDER_REFUND_OF, /* the order a refund belongs to */
    AT_ORDER_STATUS, /* cancelled, voided, failed …: it never was one; refunded: all of it was given back */
    AT_ORDER_CURRENCY,
    AT_ORDER_COUPON,
    AT_ORDER_ROLES
};
#define AT_ORDER_COLUMNS_MAX 1000

struct at_order_columns {
    int column[AT_ORDER_ROLES];   /* -1: none */
    const char *known;            /* "Shopify"; NULL: no known export */
    const char *cancelled_prefix; /* of that export's ids of refunds, or NULL */
};

const char *at_order_role_name(enum at_order_role role); /* "order_id" */
/* By the header of the file. */
void at_order_columns_guess(const struct at_text *header, size_t count, struct at_order_columns *out);
/* "order_id=InvoiceNo"; "revenue=": nothing is. AT_INVALID: no such role or column, with one that is near. */
enum at_status at_order_columns_map(struct at_order_columns *columns, const struct at_text *header,
                                    size_t count, const char *text, struct at_error *err) AT_MUST_CHECK;
/* AT_INVALID names what is missing, and the columns there are. */
enum at_status at_order_columns_check(const struct at_order_columns *columns, const struct at_text *header,
                                      size_t count, struct at_error *err) AT_MUST_CHECK;

#endif
