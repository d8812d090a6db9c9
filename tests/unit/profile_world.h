/* SPDX-License-Identifier: Apache-2.0
 *
 * What the profile's tests share: events written as JSON and taken the way the shop takes them (parse, facts,
 * body, parse again), a fold step, a trip through storage, and a comparison of two profiles that does not go
 * through their writing.
 */
#ifndef TESTS_UNIT_PROFILE_WORLD_H
#define TESTS_UNIT_PROFILE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "cases.h"
#include "profile/affinity.h"
#include "profile/draft.h"

#define NOW_MS 1795680000000LL /* 2026-11-26T08:00:00Z */

struct world {
    struct at_arena arena; /* of the event being parsed */
    struct at_json_parser *event_parser, *facts_parser, *body_parser, *profile_parser;
    struct at_bytes bytes;
    const struct at_root *root;
    struct at_event event; /* the last one */
    struct at_error err;
    uint64_t seq;
};

/* An event as the log keeps it. */
struct stored {
    uint64_t seq;
    int64_t at_ms, received_ms;
    char name[128], id[104];
    char *body, *facts;
};

static inline void world_init(struct world *world) {
    memset(world, 0, sizeof *world);
    at_arena_init(&world->arena, 1 << 26);
    at_bytes_init(&world->bytes, 1 << 26);
    world->event_parser = at_json_parser_new(1 << 24, 64);
    world->facts_parser = at_json_parser_new(1 << 24, 64);
    world->body_parser = at_json_parser_new(1 << 24, 64);
    world->profile_parser = at_json_parser_new(1 << 26, 80);
    assert_true(world->event_parser && world->facts_parser && world->body_parser && world->profile_parser);
}

static inline void world_clear(struct world *world) {
    at_arena_clear(&world->arena);
    at_bytes_clear(&world->bytes);
    at_json_parser_free(world->event_parser);
    at_json_parser_free(world->facts_parser);
    at_json_parser_free(world->body_parser);
    at_json_parser_free(world->profile_parser);
}

static inline struct at_json json_of(struct at_json_parser *parser, const char *text) {
    struct at_json json = {0};
    struct at_error err;
    if (at_json_parse(parser, text, strlen(text), false, &json, &err) != AT_OK)
        fail_msg("%s: %.200s", err.message, text);
    return json;
}

static inline enum at_status parse_with(struct world *world, const char *text,
                                        const struct at_event_defaults *defaults) {
    at_arena_reset(&world->arena);
    world->err = (struct at_error){0};
    return at_event_parse(&world->arena, json_of(world->event_parser, text), defaults, world->root,
                          &world->event, &world->err);
}

static inline enum at_status parse_at(struct world *world, const char *text, int64_t received_ms) {
    struct at_event_defaults defaults = {.received_ms = received_ms};
    return parse_with(world, text, &defaults);
}

static inline char *written(struct world *world) {
    assert_false(world->bytes.failed);
    char *text = malloc(world->bytes.length + 1);
    assert_non_null(text);
    memcpy(text, world->bytes.data, world->bytes.length + 1);
    return text;
}

/* The event last parsed, as a row of the log. */
static inline void keep_event(struct world *world, bool claim_won, struct stored *out) {
    *out = (struct stored){
        .seq = ++world->seq, .at_ms = world->event.at_ms, .received_ms = world->event.received_ms};
    snprintf(out->name, sizeof out->name, "%.*s", (int)world->event.name.length, world->event.name.data);
    if (world->event.message_id.length)
        snprintf(out->id, sizeof out->id, "%.*s", (int)world->event.message_id.length,
                 world->event.message_id.data);
    else
        snprintf(out->id, sizeof out->id, "m%llu", (unsigned long long)out->seq);
    at_bytes_reset(&world->bytes);
    at_event_write_facts(&world->event, world->root, claim_won, &world->bytes);
    out->facts = written(world);
    at_bytes_reset(&world->bytes);
    at_event_write_body(&world->event, &world->bytes);
    out->body = written(world);
}

static inline void stored_free(struct stored *stored) {
    free(stored->body);
    free(stored->facts);
}

static inline void free_events(struct stored *events, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) stored_free(&events[i]);
}

static inline struct at_logged_event logged_of(struct world *world, const struct stored *stored) {
    return (struct at_logged_event){.seq = stored->seq,
                                    .at_ms = stored->at_ms,
                                    .received_ms = stored->received_ms,
                                    .name = at_text_of(stored->name),
                                    .message_id = at_text_of(stored->id),
                                    .body = json_of(world->body_parser, stored->body),
                                    .facts = json_of(world->facts_parser, stored->facts)};
}

static inline struct at_profile *step(struct world *world, struct at_profile *base,
                                      const struct stored *stored, bool is_private) {
    struct at_logged_event logged = logged_of(world, stored);
    struct at_profile *next = at_profile_apply(base, &logged, is_private);
    assert_non_null(next);
    return next;
}

/* Parse text as of received_ms and fold it into *profile. */
static inline void happen(struct world *world, struct at_profile **profile, int64_t received_ms,
                          const char *text) {
    struct stored stored;
    if (parse_at(world, text, received_ms) != AT_OK) fail_msg("%s: %s", world->err.message, text);
    keep_event(world, true, &stored);
    *profile = step(world, *profile, &stored, true);
    stored_free(&stored);
}

static inline char *text_of_profile(struct world *world, const struct at_profile *profile) {
    at_bytes_reset(&world->bytes);
    at_profile_write(profile, &world->bytes);
    return written(world);
}

/* decode(encode(profile)); gives the old one up. */
static inline struct at_profile *recode(struct world *world, struct at_profile *profile) {
    struct at_profile *back;
    struct at_error err;
    char *text = text_of_profile(world, profile);
    if (at_profile_read(json_of(world->profile_parser, text), NULL, &back, &err) != AT_OK)
        fail_msg("%s: %.300s", err.message, text);
    free(text);
    at_profile_unref(profile);
    return back;
}

/* ---- comparing, member by member ---- */

static inline bool same_bits(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}
static inline bool same_visit(const struct at_visit *a, const struct at_visit *b) {
    return a->started_ms == b->started_ms && a->last_ms == b->last_ms && a->pages == b->pages &&
           a->events == b->events && at_text_equal(a->source, b->source) &&
           at_text_equal(a->campaign, b->campaign) && at_text_equal(a->medium, b->medium) &&
           at_text_equal(a->landing, b->landing) && at_text_equal(a->device, b->device) &&
           at_text_equal(a->referrer, b->referrer);
}
static inline bool same_acquired(const struct at_acquired *a, const struct at_acquired *b) {
    return a->at_ms == b->at_ms && a->landed_ms == b->landed_ms && at_text_equal(a->source, b->source) &&
           at_text_equal(a->campaign, b->campaign) && at_text_equal(a->medium, b->medium) &&
           at_text_equal(a->landing, b->landing) && at_text_equal(a->device, b->device) &&
           at_text_equal(a->referrer, b->referrer);
}
static inline bool same_buckets(const struct bucket *a, const struct bucket *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (a[i].unit != b[i].unit || a[i].count != b[i].count) return false;
    return true;
}

static inline bool same_order(const struct at_order *a, const struct at_order *b) {
    if (a->item_count != b->item_count || a->is_closed != b->is_closed) return false;
    for (uint32_t i = 0; i < a->item_count; i++)
        if (!at_text_equal(a->items[i].product, b->items[i].product) ||
            !same_bits(a->items[i].quantity, b->items[i].quantity))
            return false;
    for (int i = 0; i < AT_ORDER_ALSO_MAX; i++)
        if (!at_text_equal(a->also[i], b->also[i])) return false;
    return a->revenue_said == b->revenue_said && a->is_cancelled == b->is_cancelled &&
           a->is_completed == b->is_completed && same_bits(a->dearest, b->dearest) &&
           at_text_equal(a->id, b->id) && a->at_ms == b->at_ms && same_bits(a->revenue, b->revenue) &&
           same_bits(a->refunded, b->refunded) && a->is_returned == b->is_returned &&
           at_text_equal(a->first_product, b->first_product) && at_text_equal(a->category, b->category) &&
           same_bits(a->quantity, b->quantity);
}
static inline bool same_line(const struct at_basket_line *a, const struct at_basket_line *b) {
    return at_text_equal(a->product, b->product) && at_text_equal(a->named, b->named) &&
           same_bits(a->price, b->price) && same_bits(a->quantity, b->quantity);
}
static inline bool same_taste(const struct at_taste *a, const struct at_taste *b) {
    return at_text_equal(a->facet, b->facet) && at_text_equal(a->value, b->value) &&
           same_bits(a->weight, b->weight) && a->at_ms == b->at_ms;
}
static inline bool same_stated(const struct at_stated_taste *a, const struct at_stated_taste *b) {
    return at_text_equal(a->facet, b->facet) && at_text_equal(a->value, b->value) && a->at_ms == b->at_ms &&
           a->is_like == b->is_like;
}
static inline bool same_met(const struct at_met_product *a, const struct at_met_product *b) {
    return at_text_equal(a->product, b->product) && a->views == b->views && a->adds == b->adds &&
           a->bought == b->bought && same_bits(a->bought_quantity, b->bought_quantity) &&
           same_bits(a->shown, b->shown) && a->shown_at_ms == b->shown_at_ms &&
           a->viewed_at_ms == b->viewed_at_ms && a->bought_at_ms == b->bought_at_ms;
}
static inline bool same_identifier(const struct at_known_identifier *a, const struct at_known_identifier *b) {
    return at_text_equal(a->kind, b->kind) && at_text_equal(a->value, b->value) && a->since_ms == b->since_ms;
}
static inline bool same_moment(const struct at_trait_moment *a, const struct at_trait_moment *b) {
    return at_text_equal(a->name, b->name) && a->at_ms == b->at_ms;
}
static inline bool same_consent(const struct at_consent_statement *a, const struct at_consent_statement *b) {
    return at_text_equal(a->purpose, b->purpose) && at_text_equal(a->channel, b->channel) &&
           a->source == b->source && a->at_ms == b->at_ms && a->expires_ms == b->expires_ms &&
           a->is_granted == b->is_granted && a->is_confirmed == b->is_confirmed &&
           a->is_signal == b->is_signal && at_text_equal(a->said, b->said) &&
           at_text_equal(a->wording, b->wording);
}
static inline bool same_last(const struct at_last_event *a, const struct at_last_event *b) {
    return at_text_equal(a->name, b->name) && at_text_equal(a->id, b->id) && a->at_ms == b->at_ms &&
           at_text_equal(a->properties, b->properties) && at_text_equal(a->items, b->items) &&
           a->is_cut == b->is_cut;
}
static inline bool same_count(const struct at_profile *a, const struct at_profile *b, uint32_t i) {
    const struct at_event_count *x = &a->counts[i], *y = &b->counts[i];
    const struct buckets *m = &block_of(a)->buckets[i], *n = &block_of(b)->buckets[i];
    return at_text_equal(x->name, y->name) && x->total == y->total && x->first_ms == y->first_ms &&
           x->last_ms == y->last_ms && m->hour_count == n->hour_count && m->day_count == n->day_count &&
           same_buckets(m->hours, n->hours, m->hour_count) && same_buckets(m->days, n->days, m->day_count);
}

/* NULL: equal in everything but refs, bytes, account and applied_seq; else what differs. */
static inline const char *difference(const struct at_profile *a, const struct at_profile *b) {
#define SAME(claim, name)                                                                                    \
    if (!(claim)) return name
#define SAME_LIST(list, count, same)                                                                         \
    SAME(a->count == b->count, #count);                                                                      \
    for (uint32_t i = 0; i < a->count; i++) SAME(same(&a->list[i], &b->list[i]), #list)
    SAME(a->person == b->person, "person");
    SAME(a->first_seen_ms == b->first_seen_ms && a->last_seen_ms == b->last_seen_ms, "seen");
    SAME(a->sessions == b->sessions, "sessions");
    SAME(same_visit(&a->visit, &b->visit), "visit");
    SAME(same_acquired(&a->acquired, &b->acquired), "acquired");
    SAME(at_text_equal(a->traits, b->traits), "traits");
    SAME(at_text_equal(a->timezone, b->timezone) && at_text_equal(a->locale, b->locale), "timezone, locale");
    SAME(at_text_equal(a->country, b->country), "country");
    SAME(a->timezone_ms == b->timezone_ms && a->locale_ms == b->locale_ms && a->country_ms == b->country_ms,
         "moments");
    SAME_LIST(trait_moments, trait_moment_count, same_moment);
    SAME_LIST(stated, stated_count, same_stated);
    SAME(a->orders.count == b->orders.count && same_bits(a->orders.revenue, b->orders.revenue) &&
             same_bits(a->orders.refunded, b->orders.refunded) && a->orders.first_ms == b->orders.first_ms &&
             a->orders.last_ms == b->orders.last_ms,
         "orders");
    SAME(a->basket_updated_ms == b->basket_updated_ms && at_text_equal(a->basket_url, b->basket_url),
         "basket");
    SAME_LIST(order_list, order_count, same_order);
    SAME_LIST(awaited, awaited_count, same_order);
    SAME_LIST(basket, basket_count, same_line);
    SAME_LIST(tastes, taste_count, same_taste);
    SAME_LIST(products, product_count, same_met);
    SAME_LIST(lasts, last_count, same_last);
    SAME_LIST(identifiers, identifier_count, same_identifier);
    SAME_LIST(consents, consent_count, same_consent);
    SAME(a->count_count == b->count_count, "count_count");
    for (uint32_t i = 0; i < a->count_count; i++) SAME(same_count(a, b, i), "counts");
#undef SAME
#undef SAME_LIST
    return NULL;
}

/* ---- random events ---- */

/* Draws stand in statements of their own: the order of arguments is the compiler's, a seed is everybody's. */
#define DRAW(name, limit) uint32_t name = random_below(r, limit)

/* One product as event properties: few products, so that they meet again. */
static inline int random_product(uint64_t *r, char *out, size_t size) {
    static const char *const prices[] = {"19.99", "\"7.50\"", "120", "0.1", "null", "3e2"};
    DRAW(n, 14);
    DRAW(price, 6);
    DRAW(quantity, 4);
    return snprintf(
        out, size,
        "\"product_id\":\"P%u\",\"price\":%s,\"quantity\":%u,\"brand\":\"b%u\",\"category\":\"c \\u00e9 %u\"",
        n, prices[price], quantity, n % 5, n % 3);
}

static inline const char *random_context(uint64_t *r) {
    static const char *const contexts[] = {
        "{}",
        "{\"locale\":\"de-DE\",\"timezone\":\"Europe/Berlin\",\"page\":{\"path\":\"/a\",\"url\":\"https://x/"
        "a\"}}",
        "{\"userAgent\":\"Mozilla/5.0 (iPhone; "
        "CPU)\",\"campaign\":{\"source\":\"mail\",\"name\":\"x\\\"y\"}}",
        "{\"traits\":{\"plan\":\"pro\",\"n\":[1,2.5,{\"a\":null}],\"likes\":{\"brand\":[\"b1\","
        "\"\\u00fc\\n\"]}},"
        "\"location\":{\"country\":\"FR\"}}"};
    return contexts[random_below(r, 4)];
}

static inline void random_properties(uint64_t *r, bool is_list, char *out, size_t size) {
    DRAW(order, 9);
    DRAW(url, 3);
    DRAW(many, 5);
    DRAW(whole, 500);
    DRAW(cents, 100);
    DRAW(has_revenue, 2);
    size_t n = (size_t)snprintf(out, size, "\"order_id\":\"O%u\",\"cart_url\":\"https://x/c%u\"", order, url);
    if (is_list) n += (size_t)snprintf(out + n, size - n, ",\"products\":[");
    for (uint32_t i = 0; i < (is_list ? many : 1); i++) {
        n += (size_t)snprintf(out + n, size - n, is_list ? i ? ",{" : "{" : ",");
        n += (size_t)random_product(r, out + n, size - n);
        if (is_list) n += (size_t)snprintf(out + n, size - n, "}");
    }
    if (is_list) n += (size_t)snprintf(out + n, size - n, "]");
    if (has_revenue) snprintf(out + n, size - n, ",\"revenue\":%u.%02u", whole, cents);
}

static inline void random_track(uint64_t *r, const char *context, char *out, size_t size) {
    static const struct {
        const char *name;
        bool is_list;
    } events[] = {
        {"Product Viewed", false},  {"product_clicked", false},  {"Product Added", false},
        {"Product Removed", false}, {"Cart Viewed", true},       {"Checkout Started", true},
        {"Order Completed", true},  {"Order Refunded", true},    {"Product List Viewed", true},
        {"Signed Up", false},       {"Order Completed", true},   {"Product Added to Wishlist", false},
        {"Quiz \\u00fc 1", false},  {"Products Searched", false}};
    char properties[2000];
    DRAW(which, AT_LENGTH(events));
    random_properties(r, events[which].is_list, properties, sizeof properties);
    snprintf(out, size,
             "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"%s\",\"properties\":{%s},\"context\":%s}",
             events[which].name, properties, context);
}

static inline void random_event(uint64_t *r, char *out, size_t size) {
    const char *context = random_context(r);
    DRAW(kind, 20);
    DRAW(trait, 6);
    DRAW(is_set, 3);
    DRAW(name, 4);
    DRAW(country, 3);
    if (kind == 0)
        snprintf(out, size, "{\"type\":\"page\",\"anonymousId\":\"a\",\"name\":\"Home\",\"context\":%s}",
                 context);
    else if (kind < 3)
        snprintf(
            out, size,
            "{\"type\":\"identify\",\"userId\":\"u\",\"traits\":{\"t%u\":%s,\"name\":\"N\\n%u\",\"address\":"
            "{\"country\":\"D%u\"},\"dislikes\":{\"category\":\"c \\u00e9 "
            "%u\",\"brand\":[\"b1\"]}},\"context\":%s}",
            trait, is_set ? "1.5" : "null", name, country, country, context);
    else
        random_track(r, context, out, size);
}

#define TRACK(event, properties)                                                                             \
    "{\"type\":\"track\",\"anonymousId\":\"a\",\"event\":\"" event "\",\"properties\":" properties "}"

static inline struct at_profile *new_profile(void) {
    struct at_profile *profile = at_profile_new(7, NULL);
    assert_non_null(profile);
    return profile;
}

/* Events taken and refused, in the one world. */
#define PARSE_CHECKS                                                                                         \
    static void expect(const char *text) {                                                                   \
        if (parse_at(&world, text, NOW_MS) != AT_OK) fail_msg("%s: %.300s", world.err.message, text);        \
    }                                                                                                        \
    static void refuse(const char *text, const char *code, const char *field) {                              \
        enum at_status status = parse_at(&world, text, NOW_MS);                                              \
        if (status != AT_INVALID || strcmp(world.err.code, code) != 0 ||                                     \
            strcmp(world.err.field, field) != 0)                                                             \
            fail_msg("%.300s: status %d, code %s, field %s: %s", text, status, world.err.code,               \
                     world.err.field, world.err.message);                                                    \
        assert_true(strlen(world.err.message) > 10);                                                         \
    }                                                                                                        \
    static bool is_text(struct at_text text, const char *expected) {                                         \
        return at_text_is(text, expected);                                                                   \
    }

#endif
