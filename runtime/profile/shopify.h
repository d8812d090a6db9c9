/* SPDX-License-Identifier: Apache-2.0
 *
 * What a Shopify shop's webhooks say of people, put into attune's own words: from a topic and its body to the
 * text of a batch of events, {"batch":[…]}, as the tracking routes take it. Pure: no clock, no settings; the
 * same delivery gives the same text, so what is sent twice is known by its message ids. Products are not here
 * (catalog/shopify.h). Called by shop/shopify.c.
 *
 * An order's topics all carry the whole order: each becomes one more copy of Order Completed, at the moment
 * the order was placed, with its version (profile.h, struct at_order), and what happened to it (Order
 * Updated, Order Paid, Order Fulfilled, Order Cancelled, Order Refunded) beside it. Every event says
 * context.active false: a system tells it, nobody is here.
 *
 * Of a person these become traits: first_name, last_name, email, phone, city, country, customer_tags,
 * customer_state, verified_email, created_at. Streets, companies, notes, addresses of the network, payments
 * and tax numbers do not: nothing here needs them.
 */
#ifndef AT_PROFILE_SHOPIFY_H
#define AT_PROFILE_SHOPIFY_H

#include "base/bytes.h"
#include "base/json.h"
#include "profile/event.h"

#define AT_SHOPIFY_ID_MAX   64  /* bytes of what effects are known by */
#define AT_SHOPIFY_NAME_MAX 200 /* … of an id of theirs as text */

struct at_shopify_webhook {
    struct at_text topic; /* "orders/create" */
    struct at_text
        id;        /* X-Shopify-Event-Id, else -Webhook-Id, at most AT_SHOPIFY_ID_MAX; "": made of the body */
    int64_t at_ms; /* when it was triggered: of what the body gives no moment for */
    const struct at_identifier *who; /* whose it is, where the body cannot say it (refunds/create); or NULL */
};
enum at_shopify_outcome {
    AT_SHOPIFY_WRITTEN,
    AT_SHOPIFY_NOTHING, /* well-formed, but nothing follows: a completed checkout, of which the order tells */
    AT_SHOPIFY_TEST,    /* a test order: counts nowhere */
    AT_SHOPIFY_NOBODY,  /* nothing in it says whose it is */
};
struct at_shopify_written {
    enum at_shopify_outcome outcome;
    uint32_t events;
    uint32_t products_left_out; /* over AT_EVENT_ITEMS_MAX of an event, which says so, too */
    bool needs_known;           /* only of somebody who is known already */
};
/* Whether its body is put into events. */
bool at_shopify_is_of_people(struct at_text topic);
/* Appends the batch to out (nothing unless the outcome is WRITTEN). AT_INVALID: the body is no such thing;
 * err says what is missing. out->failed: out of memory. */
enum at_status at_shopify_events(const struct at_shopify_webhook *webhook, struct at_json body,
                                 struct at_bytes *out, struct at_shopify_written *written,
                                 struct at_error *err) AT_MUST_CHECK;
/* What of a refund's body is needed once its order comes, as text: it gives the same events as the whole. Who
 * paid and how, notes and what is written on products is not in it. out->failed: out of memory. */
void at_shopify_refund_kept(struct at_json body, struct at_bytes *out);
/* The order that a refund or order is about, as text; "" none. */
void at_shopify_order_id(struct at_text topic, struct at_json body, char out[AT_SHOPIFY_NAME_MAX]);

/* An id: a number, as Shopify's are, or a text; as text. false: none. */
bool at_shopify_id(struct at_json value, char out[AT_SHOPIFY_NAME_MAX]);

#endif
