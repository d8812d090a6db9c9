/* SPDX-License-Identifier: Apache-2.0
 *
 * What all events of a webhook have: whose they are, their message id, moment and products; and how Shopify
 * writes ids and amounts.
 */
#include "profile/shopify_event.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/hash.h"
#include "profile/parse.h"

#define SHORT_OVER 100 /* lines: of more only what counts is told of each, so that they fit into an event */

/* ---- values ---- */

struct at_text shopify_text(struct at_json object, const char *name) {
    struct at_text text = at_json_text(at_json_get(object, name));
    return text.data ? text : AT_TEXT("");
}

/* Amounts are texts in the shop's currency; newer ones name the currencies apart. */
double shopify_money(struct at_json object, const char *name) {
    char set[64];
    snprintf(set, sizeof set, "%s_set", name);
    struct at_json of_shop = at_json_get(at_json_get(object, set), "shop_money");
    double amount = at_amount(at_json_get(of_shop, "amount"));
    return at_is_missing(amount) ? at_amount(at_json_get(object, name)) : amount;
}

double shopify_round(double amount) {
    return nearbyint(amount * 1e4) / 1e4;
}

bool at_shopify_id(struct at_json value, char out[AT_SHOPIFY_NAME_MAX]) {
    int64_t number;
    struct at_text text = at_json_text(value);
    out[0] = 0;
    if (at_json_int(value, &number) && number)
        snprintf(out, AT_SHOPIFY_NAME_MAX, "%lld", (long long)number);
    else if (text.length && text.length < AT_SHOPIFY_NAME_MAX)
        snprintf(out, AT_SHOPIFY_NAME_MAX, "%.*s", (int)text.length, text.data);
    return out[0] != 0;
}

/* ---- whose ---- */

/* The visitor's id, which the shop's theme put into the cart: [{"name","value"}], or an object. */
static struct at_text attribute_of(struct at_json list) {
    static const char name[] = "attune_anonymous_id";
    if (at_json_is_object(list)) return shopify_text(list, name);
    struct at_json_each it = at_json_each(list);
    while (at_json_is_array(list) && at_json_next(&it))
        if (at_text_is(shopify_text(it.value, "name"), name)) return shopify_text(it.value, "value");
    return AT_TEXT("");
}

void shopify_find_who(struct writing *w) {
    struct at_json body = w->body, attributes = at_json_get(body, "attributes");
    char id[AT_SHOPIFY_NAME_MAX];
    w->customer = at_json_get(body, "customer");
    w->customer_id = at_json_get(w->customer, "id");
    if (!at_shopify_id(w->customer_id, id)) w->customer_id = at_json_get(body, "customer_id");
    if (!at_shopify_id(w->customer_id, id)) w->customer_id = (struct at_json){0};
    w->email = shopify_text(body, "email");
    if (!w->email.length) w->email = shopify_text(body, "contact_email");
    if (!w->email.length) w->email = shopify_text(w->customer, "email");
    w->phone = shopify_text(body, "phone");
    if (!w->phone.length) w->phone = shopify_text(w->customer, "phone");
    w->locale = shopify_text(body, "customer_locale");
    w->anonymous_id = attribute_of(at_json_get(body, "note_attributes"));
    if (!w->anonymous_id.length) w->anonymous_id = attribute_of(attributes);
    if (!at_json_is_object(w->customer)) w->address = at_json_get(body, "billing_address");
}

bool shopify_has_who(const struct writing *w) {
    return w->anonymous_id.length || w->email.length || w->phone.length || w->customer_id.tape;
}

/* ---- an event ---- */

void shopify_put_text(struct writing *w, const char *name, struct at_text text) {
    if (text.length) at_json_add_text(&w->out, name, text);
}

void shopify_put_id(struct writing *w, const char *name, struct at_json value) {
    char id[AT_SHOPIFY_NAME_MAX];
    if (at_shopify_id(value, id)) at_json_add_string(&w->out, name, id);
}

void shopify_put_money(struct writing *w, const char *name, double amount) {
    if (!at_is_missing(amount)) at_json_add_number(&w->out, name, amount);
}

static bool is_kind(const struct writing *w, const char *kind) {
    return w->webhook->who && at_text_is(w->webhook->who->kind, kind);
}

static void put_traits(struct writing *w) {
    at_json_key(&w->out, "traits");
    at_json_open(&w->out, '{');
    shopify_put_text(w, "email", is_kind(w, "email") ? w->webhook->who->value : w->email);
    shopify_put_text(w, "phone", is_kind(w, "phone") ? w->webhook->who->value : w->phone);
    shopify_put_text(w, "first_name", shopify_text(w->address, "first_name"));
    shopify_put_text(w, "last_name", shopify_text(w->address, "last_name"));
    shopify_put_text(w, "city", shopify_text(w->address, "city"));
    shopify_put_text(w, "country", shopify_text(w->address, "country_code"));
    at_json_close(&w->out, '}');
}

static void put_external(struct writing *w, struct at_text kind, struct at_text id) {
    at_json_open(&w->out, '{');
    at_json_add_text(&w->out, "type", kind);
    at_json_add_text(&w->out, "id", id);
    at_json_close(&w->out, '}');
}

static void put_context(struct writing *w) {
    char id[AT_SHOPIFY_NAME_MAX];
    const struct at_identifier *who = w->webhook->who;
    bool is_usual =
        is_kind(w, "user_id") || is_kind(w, "anonymous_id") || is_kind(w, "email") || is_kind(w, "phone");
    at_json_key(&w->out, "context");
    at_json_open(&w->out, '{');
    at_json_add_bool(&w->out, "active", false);
    shopify_put_text(w, "locale", w->locale);
    put_traits(w);
    at_json_key(&w->out, "externalIds");
    at_json_open(&w->out, '[');
    if (at_shopify_id(w->customer_id, id)) put_external(w, AT_TEXT(AT_SHOPIFY_CUSTOMER_KIND), at_text_of(id));
    if (who && !is_usual) put_external(w, who->kind, who->value);
    at_json_close(&w->out, ']');
    at_json_close(&w->out, '}');
}

/* What the effect is known by: the business event and its part; without headers the thing and its version. */
static void put_message_id(struct writing *w, const struct event_head *head) {
    char text[600], thing[AT_SHOPIFY_NAME_MAX], updated[64];
    struct at_text topic = w->webhook->topic, id = w->webhook->id, at = shopify_text(w->body, "updated_at");
    at_shopify_id(at_json_get(w->body, "id"), thing);
    snprintf(updated, sizeof updated, "%.*s", (int)(at.length < 60 ? at.length : 60), at.data);
    if (head->id)
        snprintf(text, sizeof text, "%s", head->id);
    else if (id.length)
        snprintf(text, sizeof text, "%.*s.%.*s.%s", (int)id.length, id.data, (int)topic.length, topic.data,
                 head->part);
    else
        snprintf(text, sizeof text, "%.*s.%s.%s.%s", (int)topic.length, topic.data, thing, updated,
                 head->part);
    if (strlen(text) > 100) {
        uint8_t digest[AT_SHA256_SIZE];
        at_sha256(text, strlen(text), digest);
        at_hex(digest, 16, text);
    }
    at_json_add_string(&w->out, "messageId", text);
}

static void put_moment(struct writing *w, struct at_json moment) {
    int64_t at_ms = w->webhook->at_ms;
    struct at_text text = at_json_text(moment);
    if (text.length) (void)at_time_parse(text.data, text.length, &at_ms, NULL);
    at_json_add_time(&w->out, "timestamp", at_ms);
}

void shopify_begin_bare(struct writing *w, const struct event_head *head) {
    const struct at_identifier *who = w->webhook->who;
    at_json_open(&w->out, '{');
    at_json_add_string(&w->out, "type", head->type);
    if (head->name) at_json_add_string(&w->out, "event", head->name);
    put_message_id(w, head);
    put_moment(w, head->moment);
    shopify_put_text(w, "anonymousId", is_kind(w, "anonymous_id") ? who->value : w->anonymous_id);
    shopify_put_text(w, "userId", is_kind(w, "user_id") ? who->value : AT_TEXT(""));
    put_context(w);
    w->written->events++;
}

void shopify_begin(struct writing *w, const struct event_head *head) {
    shopify_begin_bare(w, head);
    at_json_key(&w->out, "properties");
    at_json_open(&w->out, '{');
}

void shopify_end_bare(struct writing *w) {
    at_json_close(&w->out, '}');
}

void shopify_end(struct writing *w) {
    at_json_close(&w->out, '}');
    shopify_end_bare(w);
}

/* ---- products ---- */

/* Of a refund the line is in a line of its own, with how many came back. */
static void put_line(struct writing *w, struct at_json line, bool is_short) {
    struct at_json item = at_json_get(line, "line_item");
    if (!at_json_is_object(item)) item = line;
    double quantity = at_amount(at_json_get(line, "quantity"));
    at_json_open(&w->out, '{');
    shopify_put_id(w, "product_id", at_json_get(item, "product_id"));
    if (!is_short) {
        shopify_put_id(w, "variant_id", at_json_get(item, "variant_id"));
        shopify_put_text(w, "sku", shopify_text(item, "sku"));
        shopify_put_text(w, "name", shopify_text(item, "title"));
        shopify_put_text(w, "brand", shopify_text(item, "vendor"));
    }
    shopify_put_money(w, "price", shopify_money(item, "price"));
    shopify_put_money(w, "quantity", quantity);
    at_json_close(&w->out, '}');
}

void shopify_put_products(struct writing *w, struct at_json lines) {
    uint32_t count = at_json_is_array(lines) ? at_json_count(lines) : 0, told = 0;
    struct at_json_each it = at_json_each(lines);
    at_json_key(&w->out, "products");
    at_json_open(&w->out, '[');
    while (told < count && told < AT_EVENT_ITEMS_MAX && at_json_next(&it)) {
        put_line(w, it.value, count > SHORT_OVER);
        told++;
    }
    at_json_close(&w->out, ']');
    if (told == count) return;
    at_json_add_int(&w->out, "products_left_out", count - told);
    w->written->products_left_out += count - told;
}
