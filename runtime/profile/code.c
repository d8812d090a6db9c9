/* SPDX-License-Identifier: Apache-2.0
 *
 * A profile as JSON a person can read (code_read.c reads it back): the same state bit for bit. Doubles are
 * written so that they read back; what is 0 or "" is left out.
 */
#include <math.h>
#include <string.h>
#include "profile/draft.h"

/* ---- writing ---- */

static void put_text(struct at_json_out *out, const char *name, struct at_text text) {
    if (text.length) at_json_add_text(out, name, text);
}
static void put_int(struct at_json_out *out, const char *name, int64_t value) {
    if (value) at_json_add_int(out, name, value);
}
static void put_number(struct at_json_out *out, const char *name, double value) {
    if (!at_is_missing(value) && (value != 0 || signbit(value))) at_json_add_number(out, name, value);
}

/* Of a profile of before they were kept there are none. */
static void write_moments(const struct at_profile *p, struct at_json_out *out) {
    put_int(out, "timezone_at", p->timezone_ms);
    put_int(out, "locale_at", p->locale_ms);
    put_int(out, "country_at", p->country_ms);
    if (!p->trait_moment_count) return;
    at_json_key(out, "traits_at");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < p->trait_moment_count; i++) {
        at_json_open(out, '[');
        at_json_put_text(out, p->trait_moments[i].name);
        at_json_put_int(out, p->trait_moments[i].at_ms);
        at_json_close(out, ']');
    }
    at_json_close(out, ']');
}

static void write_visit(struct at_json_out *out, const char *name, const struct at_visit *visit) {
    at_json_key(out, name);
    at_json_open(out, '{');
    put_int(out, "started", visit->started_ms);
    put_int(out, "last", visit->last_ms);
    put_int(out, "pages", visit->pages);
    put_int(out, "events", visit->events);
    put_text(out, "source", visit->source);
    put_text(out, "campaign", visit->campaign);
    put_text(out, "medium", visit->medium);
    put_text(out, "landing", visit->landing);
    put_text(out, "device", visit->device);
    put_text(out, "referrer", visit->referrer);
    at_json_close(out, '}');
}

static void write_acquired(struct at_json_out *out, const struct at_acquired *first) {
    at_json_key(out, "acquired");
    at_json_open(out, '{');
    put_int(out, "at", first->at_ms);
    put_int(out, "landed", first->landed_ms);
    put_text(out, "source", first->source);
    put_text(out, "campaign", first->campaign);
    put_text(out, "medium", first->medium);
    put_text(out, "landing", first->landing);
    put_text(out, "referrer", first->referrer);
    put_text(out, "device", first->device);
    at_json_close(out, '}');
}

static void write_buckets(struct at_json_out *out, const char *name, const struct bucket *buckets,
                          uint32_t count) {
    at_json_key(out, name);
    at_json_open(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        at_json_put_int(out, buckets[i].unit);
        at_json_put_int(out, buckets[i].count);
    }
    at_json_close(out, ']');
}

static void put_flag(struct at_json_out *out, const char *name, bool is_set) {
    if (is_set) at_json_add_bool(out, name, true);
}

static void write_order_items(struct at_json_out *out, const struct at_order *order) {
    at_json_key(out, "items");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < order->item_count; i++) {
        at_json_put_text(out, order->items[i].product);
        at_json_put_number(out, order->items[i].quantity);
    }
    at_json_close(out, ']');
}

/* Without items: no more are to be added. */
static void write_order(struct at_json_out *out, const struct at_order *order) {
    at_json_open(out, '{');
    put_text(out, "id", order->id);
    put_text(out, "also", order->also[0]);
    put_text(out, "also_too", order->also[1]);
    put_int(out, "at", order->at_ms);
    put_number(out, "revenue", order->revenue);
    put_int(out, "said", order->revenue_said);
    put_number(out, "refunded", order->refunded);
    put_flag(out, "returned", order->is_returned);
    put_flag(out, "cancelled", order->is_cancelled);
    put_flag(out, "completed", order->is_completed);
    put_text(out, "product", order->first_product);
    put_text(out, "category", order->category);
    if (order->dearest >= 0) at_json_add_number(out, "dearest", order->dearest);
    put_number(out, "quantity", order->quantity);
    if (order->item_count || !order->is_closed) write_order_items(out, order);
    put_flag(out, "closed", order->is_closed && order->item_count);
    at_json_close(out, '}');
}

static void write_awaited(const struct at_profile *p, struct at_json_out *out) {
    at_json_key(out, "awaited");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < p->awaited_count; i++) write_order(out, &p->awaited[i]);
    at_json_close(out, ']');
}

static void write_orders(const struct at_profile *p, struct at_json_out *out) {
    at_json_key(out, "orders");
    at_json_open(out, '{');
    put_int(out, "count", (int64_t)p->orders.count);
    put_number(out, "revenue", p->orders.revenue);
    put_number(out, "refunded", p->orders.refunded);
    put_int(out, "first", p->orders.first_ms);
    put_int(out, "last", p->orders.last_ms);
    at_json_key(out, "list");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < p->order_count; i++) write_order(out, &p->order_list[i]);
    at_json_close(out, ']');
    if (p->awaited_count) write_awaited(p, out);
    at_json_close(out, '}');
}

static void write_basket(const struct at_profile *p, struct at_json_out *out) {
    at_json_key(out, "basket");
    at_json_open(out, '{');
    put_int(out, "updated", p->basket_updated_ms);
    put_text(out, "url", p->basket_url);
    at_json_key(out, "list");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < p->basket_count; i++) {
        const struct at_basket_line *line = &p->basket[i];
        at_json_open(out, '{');
        put_text(out, "product", line->product);
        put_text(out, "named", line->named);
        if (!at_is_missing(line->price)) at_json_add_number(out, "price", line->price);
        put_number(out, "quantity", line->quantity);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
    at_json_close(out, '}');
}

static void write_tastes(const struct at_profile *p, struct at_json_out *out) {
    at_json_key(out, "tastes");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < p->taste_count; i++) {
        at_json_open(out, '[');
        at_json_put_text(out, p->tastes[i].facet);
        at_json_put_text(out, p->tastes[i].value);
        at_json_put_number(out, p->tastes[i].weight);
        at_json_put_int(out, p->tastes[i].at_ms);
        at_json_close(out, ']');
    }
    at_json_close(out, ']');
}

static void write_products(const struct at_profile *p, struct at_json_out *out) {
    at_json_key(out, "products");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < p->product_count; i++) {
        const struct at_met_product *met = &p->products[i];
        at_json_open(out, '{');
        put_text(out, "product", met->product);
        put_int(out, "views", met->views);
        put_int(out, "adds", met->adds);
        put_int(out, "bought", met->bought);
        put_number(out, "quantity", met->bought_quantity);
        put_number(out, "shown", met->shown);
        put_int(out, "shown_at", met->shown_at_ms);
        put_int(out, "viewed_at", met->viewed_at_ms);
        put_int(out, "bought_at", met->bought_at_ms);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
}

static void write_counts(const struct at_profile *p, struct at_json_out *out) {
    at_json_key(out, "counts");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < p->count_count; i++) {
        const struct buckets *buckets = &block_of(p)->buckets[i];
        at_json_open(out, '{');
        put_text(out, "name", p->counts[i].name);
        put_int(out, "total", (int64_t)p->counts[i].total);
        put_int(out, "first", p->counts[i].first_ms);
        put_int(out, "last", p->counts[i].last_ms);
        write_buckets(out, "hours", buckets->hours, buckets->hour_count);
        write_buckets(out, "days", buckets->days, buckets->day_count);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
}

static void put_json(struct at_json_out *out, const char *name, struct at_text json) {
    if (!json.length) return;
    at_json_key(out, name);
    at_json_put_raw(out, json.data, json.length);
}

/* Before newest events were kept no profile had them. */
static void write_lasts(const struct at_profile *p, struct at_json_out *out) {
    if (!p->last_count) return;
    at_json_key(out, "newest");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < p->last_count; i++) {
        const struct at_last_event *last = &p->lasts[i];
        at_json_open(out, '{');
        put_text(out, "name", last->name);
        put_text(out, "id", last->id);
        put_int(out, "at", last->at_ms);
        put_json(out, "properties", last->properties);
        put_json(out, "items", last->items);
        if (last->is_cut) at_json_add_bool(out, "cut", true);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
}

static void write_identifiers(const struct at_profile *p, struct at_json_out *out) {
    at_json_key(out, "identifiers");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < p->identifier_count; i++) {
        at_json_open(out, '[');
        at_json_put_text(out, p->identifiers[i].kind);
        at_json_put_text(out, p->identifiers[i].value);
        at_json_put_int(out, p->identifiers[i].since_ms);
        at_json_close(out, ']');
    }
    at_json_close(out, ']');
}

/* Most profiles have none; before consent was kept none had. */
static void write_consents(const struct at_profile *p, struct at_json_out *out) {
    if (!p->consent_count) return;
    at_json_key(out, "consents");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < p->consent_count; i++) at_consent_write(out, &p->consents[i]);
    at_json_close(out, ']');
}

void at_profile_write(const struct at_profile *p, struct at_bytes *bytes) {
    struct at_json_out out = at_json_out(bytes);
    at_json_open(&out, '{');
    at_json_add_int(&out, "version", 1);
    at_json_add_int(&out, "person", (int64_t)p->person);
    at_json_add_int(&out, "applied", (int64_t)p->applied_seq);
    put_int(&out, "first_seen", p->first_seen_ms);
    put_int(&out, "last_seen", p->last_seen_ms);
    put_int(&out, "sessions", p->sessions);
    write_visit(&out, "visit", &p->visit);
    write_acquired(&out, &p->acquired);
    at_json_key(&out, "traits");
    at_json_put_raw(&out, p->traits.data, p->traits.length);
    put_text(&out, "timezone", p->timezone);
    put_text(&out, "locale", p->locale);
    put_text(&out, "country", p->country);
    write_moments(p, &out);
    write_orders(p, &out);
    write_basket(p, &out);
    write_tastes(p, &out);
    write_products(p, &out);
    write_counts(p, &out);
    write_lasts(p, &out);
    write_identifiers(p, &out);
    write_consents(p, &out);
    at_json_close(&out, '}');
}

bool at_profile_equal(const struct at_profile *a, const struct at_profile *b) {
    struct at_bytes x, y;
    at_bytes_init(&x, 64u << 20);
    at_bytes_init(&y, 64u << 20);
    at_profile_write(a, &x);
    at_profile_write(b, &y);
    bool is_equal = !x.failed && !y.failed && x.length == y.length && memcmp(x.data, y.data, x.length) == 0;
    at_bytes_clear(&x);
    at_bytes_clear(&y);
    return is_equal;
}
