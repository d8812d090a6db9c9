/* SPDX-License-Identifier: Apache-2.0
 *
 * The topics of a Shopify shop that tell of people, and what becomes of customers, checkouts and carts.
 */
#include "profile/shopify.h"

#include <stdio.h>
#include <string.h>
#include "profile/shopify_event.h"

#define TAG_MAX 255 /* bytes of one */

/* ---- customers ---- */

/* "vip, wholesale" */
static void put_tags(struct writing *w, struct at_text tags) {
    if (!tags.length) return;
    at_json_key(&w->out, "customer_tags");
    at_json_open(&w->out, '[');
    for (size_t i = 0; i < tags.length;) {
        const char *comma = memchr(tags.data + i, ',', tags.length - i);
        size_t end = comma ? (size_t)(comma - tags.data) : tags.length, from = i, to = end;
        while (from < to && tags.data[from] == ' ') from++;
        while (to > from && tags.data[to - 1] == ' ') to--;
        if (to > from && to - from <= TAG_MAX)
            at_json_put_text(&w->out, (struct at_text){tags.data + from, to - from});
        i = end + 1;
    }
    at_json_close(&w->out, ']');
}

/* null takes nothing away: what Shopify does not know others may. */
static void put_customer_traits(struct writing *w, struct at_json customer) {
    struct at_json address = at_json_get(customer, "default_address");
    bool is_verified;
    shopify_put_text(w, "email", shopify_text(customer, "email"));
    shopify_put_text(w, "phone", shopify_text(customer, "phone"));
    shopify_put_text(w, "first_name", shopify_text(customer, "first_name"));
    shopify_put_text(w, "last_name", shopify_text(customer, "last_name"));
    shopify_put_text(w, "city", shopify_text(address, "city"));
    shopify_put_text(w, "country", shopify_text(address, "country_code"));
    shopify_put_text(w, "customer_state", shopify_text(customer, "state"));
    shopify_put_text(w, "created_at", shopify_text(customer, "created_at"));
    if (at_json_bool(at_json_get(customer, "verified_email"), &is_verified))
        at_json_add_bool(&w->out, "verified_email", is_verified);
    put_tags(w, shopify_text(customer, "tags"));
}

/* Tells versions of a customer apart, by what is told of them. */
static uint64_t version_of(struct at_json customer) {
    static const char *const names[] = {"updated_at", "email", "phone",          "first_name", "last_name",
                                        "state",      "tags",  "verified_email", "created_at"};
    struct at_json address = at_json_get(customer, "default_address");
    uint64_t hash = at_json_hash(at_json_get(address, "city"), 0);
    hash = at_json_hash(at_json_get(address, "country_code"), hash);
    for (size_t i = 0; i < AT_LENGTH(names); i++) hash = at_json_hash(at_json_get(customer, names[i]), hash);
    return hash;
}

/* As of when the customer was changed. Every order brings its customer along: once for each version. */
static void write_identify(struct writing *w, struct at_json customer) {
    char id[AT_SHOPIFY_NAME_MAX], message[AT_SHOPIFY_NAME_MAX + 60];
    struct at_json moment = at_json_get(customer, "updated_at");
    at_shopify_id(w->customer_id, id);
    snprintf(message, sizeof message, "shopify-customer.%s.%016llx", id,
             (unsigned long long)version_of(customer));
    if (!at_json_is_string(moment)) moment = at_json_get(w->body, "updated_at");
    shopify_begin_bare(w, &(struct event_head){.type = "identify", .id = message, .moment = moment});
    at_json_key(&w->out, "traits");
    at_json_open(&w->out, '{');
    put_customer_traits(w, customer);
    shopify_end(w);
}

/* ---- consent ---- */

struct agreed { /* to one purpose */
    const char *purpose;
    bool is_granted, is_confirmed;
    struct at_json moment;
};

static void write_agreed(struct writing *w, const struct agreed *agreed) {
    char id[AT_SHOPIFY_NAME_MAX], message[2 * AT_SHOPIFY_NAME_MAX];
    struct at_text at = at_json_text(agreed->moment);
    const char *status = agreed->is_granted ? "granted" : "denied";
    at_shopify_id(w->customer_id, id);
    snprintf(message, sizeof message, "shopify-consent.%s.%s.%.*s.%s%s", id, agreed->purpose,
             (int)(at.length < 40 ? at.length : 40), at.data ? at.data : "", status,
             agreed->is_confirmed ? ".confirmed" : "");
    shopify_begin(w,
                  &(struct event_head){
                      .type = "track", .name = "Consent Updated", .id = message, .moment = agreed->moment});
    at_json_add_string(&w->out, "purpose", agreed->purpose);
    at_json_add_string(&w->out, "status", status);
    at_json_add_string(&w->out, "source", "shopify");
    at_json_add_text(&w->out, "at", at);
    if (agreed->is_confirmed) {
        at_json_key(&w->out, "proof");
        at_json_open(&w->out, '{');
        at_json_add_bool(&w->out, "confirmed", true);
        at_json_close(&w->out, '}');
    }
    shopify_end(w);
}

/* Whoever was never asked said nothing; who is asked to confirm has not answered yet. */
static bool read_state(struct at_json consent, struct agreed *out) {
    struct at_text state = shopify_text(consent, "state");
    out->is_granted = at_text_is(state, "subscribed");
    out->is_confirmed =
        out->is_granted && at_text_is(shopify_text(consent, "opt_in_level"), "confirmed_opt_in");
    out->moment = at_json_get(consent, "consent_updated_at");
    return (out->is_granted || at_text_is(state, "unsubscribed")) && at_json_is_string(out->moment);
}

/* Before 2022 there was one yes or no. A no counts only of who once agreed: else nobody asked. */
static bool read_accepts(struct at_json customer, struct agreed *out) {
    struct at_text level = shopify_text(customer, "marketing_opt_in_level");
    out->moment = at_json_get(customer, "accepts_marketing_updated_at");
    if (!at_json_bool(at_json_get(customer, "accepts_marketing"), &out->is_granted) ||
        !at_json_is_string(out->moment))
        return false;
    out->is_confirmed = out->is_granted && at_text_is(level, "confirmed_opt_in");
    return out->is_granted || level.length;
}

static void write_consents(struct writing *w, struct at_json customer) {
    struct at_json email = at_json_get(customer, "email_marketing_consent"),
                   sms = at_json_get(customer, "sms_marketing_consent");
    struct agreed by_email = {.purpose = "email_marketing"}, by_sms = {.purpose = "sms_marketing"};
    if (at_json_is_object(email) ? read_state(email, &by_email) : read_accepts(customer, &by_email))
        write_agreed(w, &by_email);
    if (at_json_is_object(sms) && read_state(sms, &by_sms)) write_agreed(w, &by_sms);
}

/* Who it is is the customer's to say: an order may be sent to another address. */
void shopify_write_customer(struct writing *w, struct at_json customer) {
    char id[AT_SHOPIFY_NAME_MAX];
    struct writing whole = *w;
    if (!at_shopify_id(w->customer_id, id)) return;
    w->anonymous_id = AT_TEXT("");
    w->email = shopify_text(customer, "email");
    w->phone = shopify_text(customer, "phone");
    w->address = (struct at_json){0};
    write_identify(w, customer);
    write_consents(w, customer);
    whole.out = w->out;
    *w = whole;
}

static enum at_status write_customer_topic(struct writing *w) {
    char id[AT_SHOPIFY_NAME_MAX];
    if (!at_shopify_id(at_json_get(w->body, "id"), id))
        return at_fail_field(w->err, AT_INVALID, "no_id", "id", "a customer has an id");
    shopify_find_who(w);
    w->customer_id = at_json_get(w->body, "id");
    shopify_write_customer(w, w->body);
    return AT_OK;
}

/* The account is gone, the person is not: customers/redact asks for that. */
static enum at_status write_customer_gone(struct writing *w) {
    char id[AT_SHOPIFY_NAME_MAX];
    w->customer_id = at_json_get(w->body, "id");
    if (!at_shopify_id(w->customer_id, id))
        return at_fail_field(w->err, AT_INVALID, "no_id", "id", "a customer has an id");
    shopify_begin_bare(w, &(struct event_head){.type = "identify", .part = "customer"});
    at_json_key(&w->out, "traits");
    at_json_open(&w->out, '{');
    at_json_add_string(&w->out, "customer_state", "deleted");
    shopify_end(w);
    w->written->needs_known = true;
    return AT_OK;
}

/* ---- checkouts and carts ---- */

static void write_checkout_event(struct writing *w, const char *name, const char *part,
                                 struct at_json moment) {
    struct at_text currency = shopify_text(w->body, "presentment_currency");
    shopify_begin(w, &(struct event_head){.type = "track", .name = name, .part = part, .moment = moment});
    shopify_put_text(w, "checkout_id", shopify_text(w->body, "token"));
    shopify_put_text(w, "cart_id", shopify_text(w->body, "cart_token"));
    shopify_put_text(w, "cart_url", shopify_text(w->body, "abandoned_checkout_url"));
    shopify_put_money(w, "value", shopify_money(w->body, "subtotal_price"));
    shopify_put_text(w, "currency", currency.length ? currency : shopify_text(w->body, "currency"));
    shopify_put_products(w, at_json_get(w->body, "line_items"));
    shopify_end(w);
}

static enum at_status write_checkout(struct writing *w) {
    if (!shopify_text(w->body, "token").length)
        return at_fail_field(w->err, AT_INVALID, "no_id", "token", "a checkout has a token");
    shopify_find_who(w);
    if (at_json_is_string(at_json_get(w->body, "completed_at")))
        w->written->outcome = AT_SHOPIFY_NOTHING; /* it is an order now, which tells of itself */
    else if (!shopify_has_who(w))
        w->written->outcome = AT_SHOPIFY_NOBODY;
    else {
        if (at_json_is_object(w->customer)) shopify_write_customer(w, w->customer);
        write_checkout_event(w, "Checkout Started", "started", at_json_get(w->body, "created_at"));
        if (at_text_is(w->webhook->topic, "checkouts/update"))
            write_checkout_event(w, "Checkout Updated", "updated", at_json_get(w->body, "updated_at"));
    }
    return AT_OK;
}

/* It has an id, and nothing that says whose it was. */
static enum at_status write_checkout_gone(struct writing *w) {
    w->written->outcome = AT_SHOPIFY_NOBODY;
    return AT_OK;
}

static double cart_value(struct at_json lines) {
    double sum = 0;
    struct at_json_each it = at_json_each(lines);
    while (at_json_is_array(lines) && at_json_next(&it)) {
        double price = shopify_money(it.value, "price"), quantity = shopify_money(it.value, "quantity");
        if (!at_is_missing(price) && !at_is_missing(quantity)) sum += price * quantity;
    }
    return shopify_round(sum);
}

/* A cart knows nobody; the theme may put the visitor into it. */
static enum at_status write_cart(struct writing *w) {
    char id[AT_SHOPIFY_NAME_MAX];
    struct at_json token = at_json_get(w->body, "token"), lines = at_json_get(w->body, "line_items");
    if (!at_shopify_id(token, id)) token = at_json_get(w->body, "id");
    if (!at_shopify_id(token, id))
        return at_fail_field(w->err, AT_INVALID, "no_id", "token", "a cart has a token");
    shopify_find_who(w);
    if (!shopify_has_who(w)) {
        w->written->outcome = AT_SHOPIFY_NOBODY;
        return AT_OK;
    }
    shopify_begin(w, &(struct event_head){.type = "track",
                                          .name = "Cart Updated",
                                          .part = "cart",
                                          .moment = at_json_get(w->body, "updated_at")});
    at_json_add_string(&w->out, "cart_id", id);
    at_json_add_number(&w->out, "value", cart_value(lines));
    shopify_put_products(w, lines);
    shopify_end(w);
    return AT_OK;
}

/* ---- topics ---- */

struct topic {
    const char *name;
    enum at_status (*write)(struct writing *w);
};
static const struct topic topics[] = {{"orders/create", shopify_write_order},
                                      {"orders/paid", shopify_write_order},
                                      {"orders/updated", shopify_write_order},
                                      {"orders/cancelled", shopify_write_order},
                                      {"orders/fulfilled", shopify_write_order},
                                      {"refunds/create", shopify_write_refund},
                                      {"customers/create", write_customer_topic},
                                      {"customers/update", write_customer_topic},
                                      {"customers/enable", write_customer_topic},
                                      {"customers/disable", write_customer_topic},
                                      {"customers/delete", write_customer_gone},
                                      {"checkouts/create", write_checkout},
                                      {"checkouts/update", write_checkout},
                                      {"checkouts/delete", write_checkout_gone},
                                      {"carts/create", write_cart},
                                      {"carts/update", write_cart}};

static const struct topic *find_topic(struct at_text name) {
    for (size_t i = 0; i < AT_LENGTH(topics); i++)
        if (at_text_is(name, topics[i].name)) return &topics[i];
    return NULL;
}

bool at_shopify_is_of_people(struct at_text topic) {
    return find_topic(topic) != NULL;
}

void at_shopify_order_id(struct at_text topic, struct at_json body, char out[AT_SHOPIFY_NAME_MAX]) {
    bool is_order = topic.length > 7 && memcmp(topic.data, "orders/", 7) == 0;
    out[0] = 0;
    if (is_order || at_text_is(topic, "refunds/create"))
        (void)at_shopify_id(at_json_get(body, is_order ? "id" : "order_id"), out);
}

enum at_status at_shopify_events(const struct at_shopify_webhook *webhook, struct at_json body,
                                 struct at_bytes *out, struct at_shopify_written *written,
                                 struct at_error *err) {
    const struct topic *topic = find_topic(webhook->topic);
    struct writing w = {.webhook = webhook,
                        .body = body,
                        .out = at_json_out(out),
                        .written = written,
                        .err = err,
                        .anonymous_id = {"", 0},
                        .email = {"", 0},
                        .phone = {"", 0},
                        .locale = {"", 0}};
    size_t before = out->length;
    *written = (struct at_shopify_written){.outcome = AT_SHOPIFY_WRITTEN};
    AT_ASSERT(topic != NULL);
    if (!at_json_is_object(body))
        return at_fail(err, AT_INVALID, "not_an_object", "the body of a webhook is a JSON object");
    at_json_open(&w.out, '{');
    at_json_key(&w.out, "batch");
    at_json_open(&w.out, '[');
    enum at_status status = topic->write(&w);
    at_json_close(&w.out, ']');
    at_json_close(&w.out, '}');
    if (status != AT_OK || written->outcome != AT_SHOPIFY_WRITTEN) out->length = before;
    return status;
}
