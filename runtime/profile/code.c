/* SPDX-License-Identifier: Apache-2.0
 *
 * A profile as JSON a person can read, and back: the same state bit for bit. Doubles are written so that they
 * read back.
 */
#include <math.h>
#include <stdlib.h>
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
    for (uint32_t i = 0; i < p->order_count; i++) {
        const struct at_order *order = &p->order_list[i];
        at_json_open(out, '{');
        put_text(out, "id", order->id);
        put_int(out, "at", order->at_ms);
        put_number(out, "revenue", order->revenue);
        put_number(out, "refunded", order->refunded);
        put_text(out, "product", order->first_product);
        put_text(out, "category", order->category);
        put_number(out, "quantity", order->quantity);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
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

static void write_lists(const struct at_profile *p, struct at_json_out *out) {
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
    write_visit(&out, "acquired", &p->acquired);
    at_json_key(&out, "traits");
    at_json_put_raw(&out, p->traits.data, p->traits.length);
    put_text(&out, "timezone", p->timezone);
    put_text(&out, "locale", p->locale);
    put_text(&out, "country", p->country);
    write_orders(p, &out);
    write_basket(p, &out);
    write_lists(p, &out);
    at_json_close(&out, '}');
}

/* ---- reading ---- */

static int64_t int_of(struct at_json json, const char *name) {
    int64_t value = 0;
    at_json_int(at_json_get(json, name), &value);
    return value;
}
static double number_of(struct at_json json, const char *name) {
    double value = 0;
    at_json_number(at_json_get(json, name), &value);
    return value;
}
static struct at_text text_of(struct at_json json, const char *name) {
    struct at_text text = at_json_text(at_json_get(json, name));
    return text.data ? text : AT_TEXT("");
}
static struct at_json nth(struct at_json list, uint32_t n) {
    struct at_json_each it = at_json_each(list);
    for (uint32_t i = 0; at_json_next(&it); i++)
        if (i == n) return it.value;
    return (struct at_json){0};
}

static void read_visit(struct at_json json, struct at_visit *visit) {
    *visit = (struct at_visit){int_of(json, "started"),         int_of(json, "last"),
                               (uint32_t)int_of(json, "pages"), (uint32_t)int_of(json, "events"),
                               text_of(json, "source"),         text_of(json, "campaign"),
                               text_of(json, "medium"),         text_of(json, "landing"),
                               text_of(json, "device"),         text_of(json, "referrer")};
}

static void read_orders(struct draft *draft, struct at_json json) {
    struct at_profile *p = &draft->profile;
    p->orders.count = (uint64_t)int_of(json, "count");
    p->orders.revenue = number_of(json, "revenue");
    p->orders.refunded = number_of(json, "refunded");
    p->orders.first_ms = int_of(json, "first");
    p->orders.last_ms = int_of(json, "last");
    struct at_json_each it = at_json_each(at_json_get(json, "list"));
    while (p->order_count < ORDERS_MAX && at_json_next(&it))
        draft->orders[p->order_count++] = (struct at_order){
            text_of(it.value, "id"),         int_of(it.value, "at"),       number_of(it.value, "revenue"),
            number_of(it.value, "refunded"), text_of(it.value, "product"), text_of(it.value, "category"),
            number_of(it.value, "quantity")};
}

static void read_basket(struct draft *draft, struct at_json json) {
    struct at_profile *p = &draft->profile;
    p->basket_updated_ms = int_of(json, "updated");
    p->basket_url = text_of(json, "url");
    struct at_json_each it = at_json_each(at_json_get(json, "list"));
    while (p->basket_count < BASKET_MAX && at_json_next(&it)) {
        struct at_basket_line *line = &draft->basket[p->basket_count++];
        *line = (struct at_basket_line){text_of(it.value, "product"), text_of(it.value, "named"),
                                        at_missing(), number_of(it.value, "quantity")};
        at_json_number(at_json_get(it.value, "price"), &line->price);
    }
}

/* All buckets of a profile, one after another; the draft's lists point into it until it is packed. */
struct pool {
    struct bucket *buckets;
    size_t count, capacity;
};

static uint32_t read_buckets(struct pool *pool, struct at_json json, uint32_t most) {
    uint32_t count = 0;
    struct at_json_each it = at_json_each(json);
    while (count < most && at_json_next(&it)) {
        int64_t unit = 0, n = 0;
        at_json_int(it.value, &unit);
        if (!at_json_next(&it)) break;
        at_json_int(it.value, &n);
        pool->buckets[pool->count++] = (struct bucket){(int32_t)unit, (uint32_t)n};
        count++;
    }
    return count;
}

static bool read_counts(struct draft *draft, struct at_json json, struct pool *pool) {
    struct at_profile *p = &draft->profile;
    struct at_json_each it = at_json_each(json);
    size_t wanted = 0;
    while (at_json_next(&it))
        wanted += at_json_count(at_json_get(it.value, "hours")) / 2 +
                  at_json_count(at_json_get(it.value, "days")) / 2 + 2;
    pool->buckets = malloc((wanted + 1) * sizeof *pool->buckets);
    if (!pool->buckets) return false;
    it = at_json_each(json);
    while (p->count_count < COUNTS_MAX && at_json_next(&it)) {
        struct buckets *buckets = &draft->buckets[p->count_count];
        draft->counts[p->count_count++] =
            (struct at_event_count){text_of(it.value, "name"), (uint64_t)int_of(it.value, "total"),
                                    int_of(it.value, "first"), int_of(it.value, "last")};
        buckets->hours = pool->buckets + pool->count;
        buckets->hour_count = read_buckets(pool, at_json_get(it.value, "hours"), HOURS_MAX);
        buckets->days = pool->buckets + pool->count;
        buckets->day_count = read_buckets(pool, at_json_get(it.value, "days"), DAYS_MAX);
    }
    return true;
}

static void read_lists(struct draft *draft, struct at_json json) {
    struct at_profile *p = &draft->profile;
    struct at_json_each it = at_json_each(at_json_get(json, "tastes"));
    while (p->taste_count < TASTES_MAX && at_json_next(&it)) {
        struct at_taste *taste = &draft->tastes[p->taste_count++];
        *taste = (struct at_taste){at_json_text(nth(it.value, 0)), at_json_text(nth(it.value, 1)), 0, 0};
        at_json_number(nth(it.value, 2), &taste->weight);
        at_json_int(nth(it.value, 3), &taste->at_ms);
    }
    it = at_json_each(at_json_get(json, "products"));
    while (p->product_count < PRODUCTS_MAX && at_json_next(&it))
        draft->products[p->product_count++] =
            (struct at_met_product){text_of(it.value, "product"),       (uint32_t)int_of(it.value, "views"),
                                    (uint32_t)int_of(it.value, "adds"), (uint32_t)int_of(it.value, "bought"),
                                    number_of(it.value, "quantity"),    number_of(it.value, "shown"),
                                    int_of(it.value, "shown_at"),       int_of(it.value, "viewed_at"),
                                    int_of(it.value, "bought_at")};
    it = at_json_each(at_json_get(json, "identifiers"));
    while (p->identifier_count < IDENTIFIERS_MAX && at_json_next(&it)) {
        struct at_known_identifier *known = &draft->identifiers[p->identifier_count++];
        *known =
            (struct at_known_identifier){at_json_text(nth(it.value, 0)), at_json_text(nth(it.value, 1)), 0};
        at_json_int(nth(it.value, 2), &known->since_ms);
    }
}

enum at_status at_profile_read(struct at_json json, struct at_account *account, struct at_profile **out,
                               struct at_error *err) {
    struct at_json traits = at_json_get(json, "traits");
    struct pool pool = {0};
    struct at_bytes text;
    if (!at_json_is_object(json) || int_of(json, "version") != 1 || !int_of(json, "person") ||
        !at_json_is_object(traits))
        return at_fail(err, AT_INVALID, NULL, "this is no profile of version 1");
    struct at_profile *empty = at_profile_new((uint64_t)int_of(json, "person"), NULL);
    struct draft *draft = empty ? draft_begin(empty) : NULL;
    if (!draft) {
        if (empty) at_profile_unref(empty);
        return at_fail(err, AT_NOMEM, NULL, "out of memory");
    }
    struct at_profile *p = &draft->profile;
    p->applied_seq = (uint64_t)int_of(json, "applied");
    p->first_seen_ms = int_of(json, "first_seen");
    p->last_seen_ms = int_of(json, "last_seen");
    p->sessions = (uint32_t)int_of(json, "sessions");
    read_visit(at_json_get(json, "visit"), &p->visit);
    read_visit(at_json_get(json, "acquired"), &p->acquired);
    p->timezone = text_of(json, "timezone");
    p->locale = text_of(json, "locale");
    p->country = text_of(json, "country");
    read_orders(draft, at_json_get(json, "orders"));
    read_basket(draft, at_json_get(json, "basket"));
    read_lists(draft, json);
    at_bytes_init(&text, 4 * TRAITS_MAX);
    struct at_json_out written = at_json_out(&text);
    at_json_put_value(&written, traits);
    p->traits = (struct at_text){text.data, text.length};
    bool is_ok =
        read_counts(draft, at_json_get(json, "counts"), &pool) && !text.failed && text.length <= TRAITS_MAX;
    *out = is_ok ? draft_finish(draft, account) : NULL;
    at_bytes_clear(&text);
    free(pool.buckets);
    at_profile_unref(empty);
    return *out ? AT_OK : at_fail(err, AT_NOMEM, NULL, "out of memory");
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
