/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to profile/: writing the events that a webhook becomes. shopify_event.c writes what all have,
 * shopify_order.c orders and refunds, shopify.c the rest.
 */
#ifndef AT_PROFILE_SHOPIFY_EVENT_H
#define AT_PROFILE_SHOPIFY_EVENT_H

#include "profile/shopify.h"

struct writing {
    const struct at_shopify_webhook *webhook;
    struct at_json body;
    struct at_json_out out;
    struct at_shopify_written *written;
    struct at_error *err;
    /* whose */
    struct at_text anonymous_id, email, phone, locale;
    struct at_json customer_id, customer;
    struct at_json address; /* of somebody without an account: its names and place */
};
struct event_head {
    const char *type, *name; /* "track", "Order Paid"; name NULL: it has none */
    const char *part;        /* tells events of one webhook apart */
    struct at_json moment;   /* a time as text; else: */
    const char *id;          /* its message id, if it is not made of the webhook's; or NULL */
};

struct at_text shopify_text(struct at_json object, const char *name); /* "" if it is none */
double shopify_money(struct at_json object, const char *name);        /* in the shop's currency; missing */
double shopify_round(double amount);
/* Fills whose it is, from what all of these have: email, phone, customer, attributes. */
void shopify_find_who(struct writing *w);
bool shopify_has_who(const struct writing *w);
/* An event up to the opened properties; shopify_end closes both. */
void shopify_begin(struct writing *w, const struct event_head *head);
void shopify_begin_bare(struct writing *w, const struct event_head *head); /* the same without properties */
void shopify_end(struct writing *w);
void shopify_end_bare(struct writing *w);
void shopify_put_text(struct writing *w, const char *name, struct at_text text); /* if there is one */
void shopify_put_id(struct writing *w, const char *name, struct at_json value);
void shopify_put_money(struct writing *w, const char *name, double amount);
void shopify_put_products(struct writing *w, struct at_json lines);

/* shopify_order.c */
enum at_status shopify_write_order(struct writing *w);
enum at_status shopify_write_refund(struct writing *w);
/* shopify.c: who somebody is, as of a moment; what they agreed to */
void shopify_write_customer(struct writing *w, struct at_json customer);

#endif
