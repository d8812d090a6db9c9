/* SPDX-License-Identifier: Apache-2.0
 *
 * A profile as GET /v1/customers/… shows it.
 */
#include <string.h>
#include "profile/affinity.h"
#include "profile/rhythm.h"

#define PRODUCTS_SHOWN 50
#define WEEK_MS        (7 * AT_DAY_MS)

static void put_visit(struct at_json_out *out, const char *name, const struct at_visit *visit,
                      int64_t now_ms) {
    at_json_key(out, name);
    at_json_open(out, '{');
    if (visit->started_ms) {
        at_json_add_time(out, "started_at", visit->started_ms);
        at_json_add_bool(out, "is_live", now_ms - visit->last_ms <= AT_SESSION_GAP_MS);
        at_json_add_int(out, "pages", visit->pages);
        at_json_add_int(out, "events", visit->events);
        at_json_add_text(out, "source", visit->source);
        at_json_add_text(out, "campaign", visit->campaign);
        at_json_add_text(out, "medium", visit->medium);
        at_json_add_text(out, "landing", visit->landing);
        at_json_add_text(out, "device", visit->device);
        at_json_add_text(out, "referrer", visit->referrer);
    }
    at_json_close(out, '}');
}

static void put_acquired(struct at_json_out *out, const struct at_acquired *first) {
    at_json_key(out, "acquired");
    at_json_open(out, '{');
    if (first->at_ms) {
        at_json_add_time(out, "at", first->at_ms);
        at_json_add_text(out, "source", at_acquired_source(first));
        at_json_add_text(out, "campaign", first->campaign);
        at_json_add_text(out, "medium", first->medium);
        at_json_add_text(out, "landing", first->landing);
        at_json_add_text(out, "device", first->device);
        at_json_add_text(out, "referrer", first->referrer);
    }
    at_json_close(out, '}');
}

static void put_orders(struct at_json_out *out, const struct at_profile *p, const struct at_showing *with) {
    int64_t interval_ms =
        at_rhythm_interval_ms(at_rhythm_of(p, with->zone), at_baseline_shop_days(with->baseline));
    at_json_key(out, "orders");
    at_json_open(out, '{');
    at_json_add_int(out, "count", (int64_t)p->orders.count);
    at_json_add_number(out, "revenue", p->orders.revenue);
    at_json_add_number(out, "refunded", p->orders.refunded);
    at_json_add_number(out, "average",
                       p->orders.count ? (p->orders.revenue - p->orders.refunded) / (double)p->orders.count
                                       : 0);
    at_json_add_moment(out, "first_at", p->orders.first_ms);
    at_json_add_moment(out, "last_at", p->orders.last_ms);
    at_json_add_number(out, "typical_interval_days",
                       interval_ms ? (double)interval_ms / AT_DAY_MS : at_missing());
    at_json_close(out, '}');
}

static void put_basket(struct at_json_out *out, const struct at_profile *p) {
    double count = 0;
    at_json_key(out, "basket");
    at_json_open(out, '{');
    at_json_key(out, "items");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < p->basket_count; i++) {
        const struct at_basket_line *line = &p->basket[i];
        count += line->quantity;
        at_json_open(out, '{');
        at_json_add_text(out, "product", line->product);
        if (!at_text_equal(line->product, line->named)) at_json_add_text(out, "named", line->named);
        at_json_add_number(out, "price", line->price);
        at_json_add_number(out, "quantity", line->quantity);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
    at_json_add_number(out, "value", at_basket_value(p));
    at_json_add_number(out, "count", count);
    at_json_add_text(out, "url", p->basket_url);
    at_json_add_moment(out, "updated_at", p->basket_updated_ms);
    at_json_close(out, '}');
}

static void put_affinity(struct at_json_out *out, const struct at_profile *p,
                         const struct at_baseline *baseline, int64_t now_ms) {
    struct at_arena arena;
    struct at_tastes tastes;
    at_arena_init(&arena, 16 << 20);
    at_json_key(out, "affinity");
    at_json_open(out, '{');
    if (at_tastes_compute(p, baseline, now_ms, &arena, &tastes) != AT_OK)
        out->bytes->failed = true;
    else
        for (uint32_t f = 0; f < tastes.facet_count; f++) {
            const struct at_facet_taste *facet = &tastes.facets[f];
            at_json_key_text(out, facet->facet);
            at_json_open(out, '{');
            for (uint32_t i = facet->first; i < facet->first + facet->count; i++)
                if (tastes.values[i].affinity > 0) {
                    at_json_key_text(out, tastes.values[i].value);
                    at_json_put_number(out, tastes.values[i].affinity);
                }
            at_json_close(out, '}');
        }
    at_json_close(out, '}');
    at_arena_clear(&arena);
}

static void put_json(struct at_json_out *out, const char *name, struct at_text json, const char *none) {
    at_json_key(out, name);
    if (json.length)
        at_json_put_raw(out, json.data, json.length);
    else
        at_json_put_raw(out, none, 2);
}

static void put_last(struct at_json_out *out, const struct at_last_event *last) {
    if (!last) return;
    at_json_key(out, "last");
    at_json_open(out, '{');
    at_json_add_text(out, "id", last->id);
    at_json_add_time(out, "at", last->at_ms);
    put_json(out, "properties", last->properties, "{}");
    put_json(out, "items", last->items, "[]");
    if (last->is_cut) at_json_add_bool(out, "cut", true);
    at_json_close(out, '}');
}

static void put_counts(struct at_json_out *out, const struct at_profile *p, int64_t now_ms) {
    at_json_key(out, "counts");
    at_json_open(out, '{');
    for (uint32_t i = 0; i < p->count_count; i++) {
        at_json_key_text(out, p->counts[i].name);
        at_json_open(out, '{');
        at_json_add_int(out, "total", (int64_t)p->counts[i].total);
        at_json_add_time(out, "first_at", p->counts[i].first_ms);
        at_json_add_time(out, "last_at", p->counts[i].last_ms);
        at_json_add_int(out, "within_7d", (int64_t)at_profile_count(p, p->counts[i].name, WEEK_MS, now_ms));
        put_last(out, at_profile_last(p, p->counts[i].name));
        at_json_close(out, '}');
    }
    at_json_close(out, '}');
}

static void put_statement(struct at_json_out *out, const struct at_consent_statement *said) {
    at_json_open(out, '{');
    at_json_add_text(out, "purpose", said->purpose);
    at_json_add_string(out, "status", said->is_granted ? "granted" : "denied");
    if (said->channel.length) at_json_add_text(out, "channel", said->channel);
    at_json_add_string(out, "of", said->source ? "browser" : "person");
    if (said->said.length) at_json_add_text(out, "source", said->said);
    if (said->wording.length) at_json_add_text(out, "wording", said->wording);
    if (said->is_confirmed) at_json_add_bool(out, "confirmed", true);
    if (said->is_signal) at_json_add_bool(out, "gpc", true);
    at_json_add_time(out, "at", said->at_ms);
    at_json_add_moment(out, "expires_at", said->expires_ms);
    at_json_close(out, '}');
}

/* Those of one purpose stand together. */
static void put_consent(struct at_json_out *out, const struct at_profile *p, int64_t now_ms) {
    at_json_key(out, "consent");
    at_json_open(out, '{');
    for (uint32_t i = 0; i < p->consent_count; i++) {
        struct at_text purpose = p->consents[i].purpose;
        if (i && at_text_equal(purpose, p->consents[i - 1].purpose)) continue;
        at_json_key_text(out, purpose);
        at_json_put_string(out, at_consent_word(at_consent_state(p, purpose, AT_TEXT(""), now_ms)));
    }
    at_json_close(out, '}');
    at_json_key(out, "consent_statements");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < p->consent_count; i++) put_statement(out, &p->consents[i]);
    at_json_close(out, ']');
}

static void put_products(struct at_json_out *out, const struct at_profile *p) {
    uint32_t first = p->product_count > PRODUCTS_SHOWN ? p->product_count - PRODUCTS_SHOWN : 0;
    at_json_key(out, "products");
    at_json_open(out, '[');
    for (uint32_t i = p->product_count; i-- > first;) {
        const struct at_met_product *met = &p->products[i];
        at_json_open(out, '{');
        at_json_add_text(out, "product", met->product);
        at_json_add_int(out, "views", met->views);
        at_json_add_int(out, "adds", met->adds);
        at_json_add_int(out, "bought", met->bought);
        at_json_add_number(out, "shown", met->shown);
        at_json_add_moment(out, "viewed_at", met->viewed_at_ms);
        at_json_add_moment(out, "bought_at", met->bought_at_ms);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
}

static void put_segments(struct at_json_out *out, const struct at_shown_segment *segments, uint32_t count) {
    at_json_key(out, "segments");
    at_json_open(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        at_json_open(out, '{');
        at_json_add_text(out, "name", segments[i].name);
        at_json_add_time(out, "since", segments[i].since_ms);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
}

void at_profile_show(const struct at_profile *p, const struct at_showing *with, struct at_bytes *bytes) {
    struct at_json_out out = at_json_out(bytes);
    int64_t now_ms = with->now_ms;
    char id[AT_PERSON_ID_SIZE];
    at_person_id_format(p->person, id);
    at_json_open(&out, '{');
    at_json_add_string(&out, "id", id);
    at_json_key(&out, "identifiers");
    at_json_open(&out, '[');
    for (uint32_t i = 0; i < p->identifier_count; i++) {
        at_json_open(&out, '{');
        at_json_add_text(&out, "kind", p->identifiers[i].kind);
        at_json_add_text(&out, "value", p->identifiers[i].value);
        at_json_add_time(&out, "since", p->identifiers[i].since_ms);
        at_json_close(&out, '}');
    }
    at_json_close(&out, ']');
    at_json_key(&out, "traits");
    at_json_put_raw(&out, p->traits.data, p->traits.length);
    put_orders(&out, p, with);
    at_json_add_int(&out, "sessions", p->sessions);
    put_visit(&out, "session", &p->visit, now_ms);
    put_acquired(&out, &p->acquired);
    put_basket(&out, p);
    put_consent(&out, p, now_ms);
    put_affinity(&out, p, with->baseline, now_ms);
    put_counts(&out, p, now_ms);
    put_products(&out, p);
    put_segments(&out, with->segments, with->segment_count);
    at_json_add_moment(&out, "first_seen", p->first_seen_ms);
    at_json_add_moment(&out, "last_seen", p->last_seen_ms);
    at_json_add_text(&out, "timezone", p->timezone);
    at_json_add_text(&out, "locale", p->locale);
    at_json_add_text(&out, "country", p->country);
    at_json_close(&out, '}');
}
