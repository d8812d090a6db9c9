/* SPDX-License-Identifier: Apache-2.0
 *
 * Which column of a file of orders is what, for who imports it and for who audits it. Known exports are
 * recognised by their columns, others by usual names; whatever was guessed can be said instead. Pure; texts
 * are borrowed.
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
    AT_ORDER_IMPORTED,                  /* those before make events, those from here are only judged */
    AT_ORDER_TITLE = AT_ORDER_IMPORTED, /* of the product */
    AT_ORDER_CANCELLED_AT,              /* holds anything: the order was cancelled */
    AT_ORDER_ROLES
};
#define AT_ORDER_COLUMNS_MAX 1000
#define AT_ORDER_BIT(role)   ((uint32_t)1 << (role))
#define AT_ORDER_WHO                                                                                         \
    (AT_ORDER_BIT(AT_ORDER_USER_ID) | AT_ORDER_BIT(AT_ORDER_ANONYMOUS_ID) | AT_ORDER_BIT(AT_ORDER_EMAIL) |   \
     AT_ORDER_BIT(AT_ORDER_PHONE))
#define AT_ORDER_OF_ROW /* the others speak of the order: many exports fill them on its first row only */    \
    (AT_ORDER_BIT(AT_ORDER_PRODUCT_ID) | AT_ORDER_BIT(AT_ORDER_QUANTITY) | AT_ORDER_BIT(AT_ORDER_PRICE) |    \
     AT_ORDER_BIT(AT_ORDER_LINE_TOTAL) | AT_ORDER_BIT(AT_ORDER_TITLE))

struct at_order_columns {
    const struct at_text *header; /* of the file */
    size_t header_count;
    int column[AT_ORDER_ROLES];   /* -1: none */
    const char *known;            /* "Shopify"; NULL: no known export */
    const char *cancelled_prefix; /* of that export's ids of refunds, or NULL */
    bool is_first_row_only;       /* that export fills cells that speak of the order on its first row only */
};

const char *at_order_role_name(enum at_order_role role); /* "order_id" */
/* By the header of the file, so surely that events can be written by it. */
void at_order_columns_guess(const struct at_text *header, size_t count, struct at_order_columns *out);
/* Then of roles without a column, by names that are likely: where a wrong guess only costs a finding. */
void at_order_columns_guess_likely(struct at_order_columns *columns);
uint32_t at_order_columns_roles(const struct at_order_columns *columns); /* bits of those with a column */
/* "order_id=InvoiceNo"; "revenue=": nothing is. *column stays in text. AT_INVALID: it is not like that, or
 * there is no such role: then with all of them, and one that is near. */
enum at_status at_order_map_read(const char *text, enum at_order_role *role, const char **column,
                                 struct at_error *err) AT_MUST_CHECK;
/* AT_INVALID as above, and if there is no such column. */
enum at_status at_order_columns_map(struct at_order_columns *columns, const char *text,
                                    struct at_error *err) AT_MUST_CHECK;
struct at_order_need {
    uint32_t roles;   /* bits: one of them at least */
    const char *word; /* what is said to be missing: "price (or line_total)" */
};
/* needs ends with one of no role. AT_INVALID names the first that is missing, and the columns there are. */
enum at_status at_order_columns_check(const struct at_order_columns *columns,
                                      const struct at_order_need *needs, struct at_error *err) AT_MUST_CHECK;
/* "order_id=InvoiceNo, at=InvoiceDate" */
void at_order_columns_tell(const struct at_order_columns *columns, struct at_bytes *out);

#endif
