/* SPDX-License-Identifier: Apache-2.0
 *
 * A profile back from the JSON of code.c. What is left out is 0 or ""; what is there must be of its kind and
 * in its bounds, or the text is not one of ours: a fold on top of half a profile would be wrong for ever.
 */
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "profile/draft.h"

#define EARLIEST_MS (-62135596800000LL) /* years 1 to 9999, and a day around them */
#define LATEST_MS   (253402300800000LL)

struct reading {
    struct draft *draft;
    const char *wrong;   /* the first member that is; NULL: none */
    struct bucket *pool; /* all buckets, one after another; the draft's lists point into it */
    size_t pool_count;
    struct at_bytes traits, text;
    struct at_arena arena;       /* of texts written again */
    bool is_short;               /* of memory */
    struct at_order_item *items; /* of all orders, likewise */
    size_t item_count;
};

static void refuse(struct reading *reading, const char *name) {
    if (!reading->wrong) reading->wrong = name;
}

static int64_t int_in(struct reading *reading, struct at_json value, const char *name, int64_t least,
                      int64_t most) {
    int64_t number = 0;
    if (!value.tape) return 0;
    if (at_json_int(value, &number) && number >= least && number <= most) return number;
    refuse(reading, name);
    return 0;
}

static int64_t moment_of(struct reading *reading, struct at_json json, const char *name) {
    return int_in(reading, at_json_get(json, name), name, EARLIEST_MS - AT_DAY_MS, LATEST_MS + AT_DAY_MS);
}
static uint32_t count_of(struct reading *reading, struct at_json json, const char *name) {
    return (uint32_t)int_in(reading, at_json_get(json, name), name, 0, UINT32_MAX);
}
static int64_t big_of(struct reading *reading, struct at_json json, const char *name) {
    return int_in(reading, at_json_get(json, name), name, INT64_MIN, INT64_MAX);
}

static double number_of(struct reading *reading, struct at_json json, const char *name) {
    struct at_json value = at_json_get(json, name);
    double number = 0;
    if (value.tape && !at_json_number(value, &number)) refuse(reading, name);
    return number;
}

static struct at_text text_in(struct reading *reading, struct at_json value, const char *name) {
    if (at_json_is_string(value)) return at_json_text(value);
    if (value.tape) refuse(reading, name);
    return AT_TEXT("");
}
static struct at_text text_of(struct reading *reading, struct at_json json, const char *name) {
    return text_in(reading, at_json_get(json, name), name);
}

static struct at_json object_of(struct reading *reading, struct at_json json, const char *name) {
    struct at_json value = at_json_get(json, name);
    if (!at_json_is_object(value)) refuse(reading, name);
    return value;
}

/* A list of at most most entries of one kind: '{' or '[', 0: any. */
static struct at_json_each list_of(struct reading *reading, struct at_json json, const char *name,
                                   uint32_t most, char kind) {
    struct at_json value = at_json_get(json, name);
    struct at_json_each all = at_json_each(value), it = all;
    bool is_good = at_json_is_array(value) && at_json_count(value) <= most;
    while (is_good && kind && at_json_next(&it)) is_good = at_json_tag(it.value) == kind;
    if (is_good) return all;
    refuse(reading, name);
    return (struct at_json_each){{NULL, NULL, 0}, {NULL, 0}, 0, 0, false};
}

/* The parts of an entry that is a list itself, exactly count of them. */
static void split(struct reading *reading, struct at_json list, const char *name, struct at_json *parts,
                  uint32_t count) {
    struct at_json_each it = at_json_each(list);
    uint32_t n = 0;
    memset(parts, 0, count * sizeof *parts);
    for (; at_json_next(&it); n++)
        if (n < count) parts[n] = it.value;
    if (n != count) refuse(reading, name);
}

/* ---- the parts of a profile ---- */

static struct at_visit visit_of(struct reading *r, struct at_json profile, const char *name) {
    struct at_json json = object_of(r, profile, name);
    return (struct at_visit){.started_ms = moment_of(r, json, "started"),
                             .last_ms = moment_of(r, json, "last"),
                             .pages = count_of(r, json, "pages"),
                             .events = count_of(r, json, "events"),
                             .source = text_of(r, json, "source"),
                             .campaign = text_of(r, json, "campaign"),
                             .medium = text_of(r, json, "medium"),
                             .landing = text_of(r, json, "landing"),
                             .device = text_of(r, json, "device"),
                             .referrer = text_of(r, json, "referrer")};
}

/* Before it was kept for itself it was a visit: its first event said how, if any did. */
static struct at_acquired acquired_of(struct reading *r, struct at_json profile) {
    struct at_json json = object_of(r, profile, "acquired");
    struct at_acquired first = {.at_ms = moment_of(r, json, "at"),
                                .landed_ms = moment_of(r, json, "landed"),
                                .source = text_of(r, json, "source"),
                                .campaign = text_of(r, json, "campaign"),
                                .medium = text_of(r, json, "medium"),
                                .landing = text_of(r, json, "landing"),
                                .referrer = text_of(r, json, "referrer"),
                                .device = text_of(r, json, "device")};
    if (!at_json_get(json, "started").tape) return first;
    first.at_ms = moment_of(r, json, "started");
    bool says = first.source.length || first.campaign.length || first.landing.length || first.referrer.length;
    first.landed_ms = says ? first.at_ms : 0;
    return first;
}

static bool flag_of(struct reading *r, struct at_json json, const char *name) {
    struct at_json value = at_json_get(json, name);
    bool is_set = false;
    if (value.tape && !at_json_bool(value, &is_set)) refuse(r, name);
    return is_set;
}

/* product, quantity, product, quantity, …; they go into the pool, to which the order points. */
static void read_order_items(struct reading *r, struct at_json json, struct at_order *order) {
    order->is_closed = flag_of(r, json, "closed") || !at_json_get(json, "items").tape;
    order->items = r->items + r->item_count;
    if (!at_json_get(json, "items").tape) return;
    struct at_json_each it = list_of(r, json, "items", 2 * ORDER_ITEMS_MAX, 0);
    while (at_json_next(&it)) {
        struct at_order_item *item = &r->items[r->item_count++];
        item->product = text_in(r, it.value, "items");
        if (!at_json_next(&it) || !at_json_number(it.value, &item->quantity)) {
            item->quantity = 0;
            refuse(r, "items");
        }
        order->item_count++;
    }
}

/* Of before several copies of an order were told apart: it came, and its amount was said then. */
static void read_order(struct reading *r, struct at_json json, struct at_order *order, bool is_counted) {
    struct at_json dearest = at_json_get(json, "dearest");
    *order = (struct at_order){.id = text_of(r, json, "id"),
                               .also = {text_of(r, json, "also"), text_of(r, json, "also_too")},
                               .at_ms = moment_of(r, json, "at"),
                               .revenue = number_of(r, json, "revenue"),
                               .revenue_said = big_of(r, json, "said"),
                               .refunded = number_of(r, json, "refunded"),
                               .is_returned = flag_of(r, json, "returned"),
                               .is_cancelled = flag_of(r, json, "cancelled"),
                               .is_completed = flag_of(r, json, "completed") || is_counted,
                               .first_product = text_of(r, json, "product"),
                               .category = text_of(r, json, "category"),
                               .dearest = dearest.tape ? number_of(r, json, "dearest") : -1,
                               .quantity = number_of(r, json, "quantity")};
    if (order->revenue != 0 && !order->revenue_said) order->revenue_said = INT64_MIN / 2 - order->at_ms;
    read_order_items(r, json, order);
}

static void read_awaited(struct reading *r, struct at_json json) {
    struct at_profile *p = &r->draft->profile;
    if (!at_json_get(json, "awaited").tape) return; /* most profiles await none */
    struct at_json_each it = list_of(r, json, "awaited", ORDERS_MAX, '{');
    while (at_json_next(&it)) read_order(r, it.value, &r->draft->awaited[p->awaited_count++], false);
}

static void read_orders(struct reading *r, struct at_json json) {
    struct at_profile *p = &r->draft->profile;
    p->orders.count = (uint64_t)big_of(r, json, "count");
    p->orders.revenue = number_of(r, json, "revenue");
    p->orders.refunded = number_of(r, json, "refunded");
    p->orders.first_ms = moment_of(r, json, "first");
    p->orders.last_ms = moment_of(r, json, "last");
    struct at_json_each it = list_of(r, json, "list", ORDERS_MAX, '{');
    while (at_json_next(&it)) read_order(r, it.value, &r->draft->orders[p->order_count++], true);
}

static void read_basket(struct reading *r, struct at_json json) {
    struct at_profile *p = &r->draft->profile;
    p->basket_updated_ms = moment_of(r, json, "updated");
    p->basket_url = text_of(r, json, "url");
    struct at_json_each it = list_of(r, json, "list", BASKET_MAX, '{');
    while (at_json_next(&it)) {
        struct at_basket_line *line = &r->draft->basket[p->basket_count++];
        *line = (struct at_basket_line){.product = text_of(r, it.value, "product"),
                                        .named = text_of(r, it.value, "named"),
                                        .price = number_of(r, it.value, "price"),
                                        .quantity = number_of(r, it.value, "quantity")};
        if (!at_json_get(it.value, "price").tape) line->price = at_missing();
    }
}

/* Values of a facet stand together (draft_taste): at_tastes_compute relies on it. */
static bool is_scattered(const struct at_taste *tastes, uint32_t at) {
    if (!at || at_text_equal(tastes[at - 1].facet, tastes[at].facet)) return false;
    for (uint32_t i = 0; i + 1 < at; i++)
        if (at_text_equal(tastes[i].facet, tastes[at].facet)) return true;
    return false;
}

static void read_tastes(struct reading *r, struct at_json json) {
    struct at_profile *p = &r->draft->profile;
    struct at_json_each it = list_of(r, json, "tastes", TASTES_MAX, '[');
    while (at_json_next(&it)) {
        struct at_json parts[4];
        struct at_taste *taste = &r->draft->tastes[p->taste_count++];
        split(r, it.value, "tastes", parts, 4);
        *taste =
            (struct at_taste){text_in(r, parts[0], "tastes"), text_in(r, parts[1], "tastes"), 0,
                              int_in(r, parts[3], "tastes", EARLIEST_MS - AT_DAY_MS, LATEST_MS + AT_DAY_MS)};
        if (!at_json_number(parts[2], &taste->weight) || is_scattered(r->draft->tastes, p->taste_count - 1))
            refuse(r, "tastes");
    }
}

static void read_products(struct reading *r, struct at_json json) {
    struct at_profile *p = &r->draft->profile;
    struct at_json_each it = list_of(r, json, "products", PRODUCTS_MAX, '{');
    while (at_json_next(&it))
        r->draft->products[p->product_count++] =
            (struct at_met_product){.product = text_of(r, it.value, "product"),
                                    .views = count_of(r, it.value, "views"),
                                    .adds = count_of(r, it.value, "adds"),
                                    .bought = count_of(r, it.value, "bought"),
                                    .bought_quantity = number_of(r, it.value, "quantity"),
                                    .shown = number_of(r, it.value, "shown"),
                                    .shown_at_ms = moment_of(r, it.value, "shown_at"),
                                    .viewed_at_ms = moment_of(r, it.value, "viewed_at"),
                                    .bought_at_ms = moment_of(r, it.value, "bought_at")};
}

static void read_identifiers(struct reading *r, struct at_json json) {
    struct at_json_each it = list_of(r, json, "identifiers", IDENTIFIERS_MAX, '[');
    while (at_json_next(&it)) {
        struct at_json parts[3];
        split(r, it.value, "identifiers", parts, 3);
        struct at_known_identifier one = {
            text_in(r, parts[0], "identifiers"), text_in(r, parts[1], "identifiers"),
            int_in(r, parts[2], "identifiers", EARLIEST_MS - AT_DAY_MS, LATEST_MS + AT_DAY_MS)};
        draft_identifier(r->draft, &one); /* older ones stand as they came */
    }
}

static void read_moments(struct reading *r, struct at_json json) {
    struct at_profile *p = &r->draft->profile;
    p->timezone_ms = moment_of(r, json, "timezone_at");
    p->locale_ms = moment_of(r, json, "locale_at");
    p->country_ms = moment_of(r, json, "country_at");
    if (!at_json_get(json, "traits_at").tape) return;
    struct at_json_each it = list_of(r, json, "traits_at", MOMENTS_MAX, '[');
    while (at_json_next(&it)) {
        struct at_json parts[2];
        split(r, it.value, "traits_at", parts, 2);
        r->draft->trait_moments[p->trait_moment_count++] = (struct at_trait_moment){
            text_in(r, parts[0], "traits_at"),
            int_in(r, parts[1], "traits_at", EARLIEST_MS - AT_DAY_MS, LATEST_MS + AT_DAY_MS)};
    }
}

static void read_consents(struct reading *r, struct at_json json) {
    struct at_profile *p = &r->draft->profile;
    if (!at_json_get(json, "consents").tape) return;
    struct at_json_each it = list_of(r, json, "consents", AT_CONSENT_MAX, '{');
    while (at_json_next(&it)) {
        struct at_consent_statement said;
        if (!at_consent_parse(it.value, &said)) return refuse(r, "consents");
        p->consent_count = at_consent_add(r->draft->consents, p->consent_count, &said);
    }
}

/* unit, count, unit, count, …, units ascending. */
static const struct bucket *read_buckets(struct reading *r, struct at_json json, const char *name,
                                         uint32_t most, uint32_t *count) {
    struct at_json_each it = list_of(r, json, name, 2 * most, 0);
    struct bucket *first = r->pool + r->pool_count;
    int64_t before = INT64_MIN;
    *count = 0;
    while (at_json_next(&it)) {
        int64_t unit = int_in(r, it.value, name, -(1 << 30), 1 << 30);
        bool is_pair = unit > before && at_json_next(&it);
        int64_t n = is_pair ? int_in(r, it.value, name, 1, UINT32_MAX) : 0;
        if (!n) {
            refuse(r, name);
            break;
        }
        first[(*count)++] = (struct bucket){(int32_t)unit, (uint32_t)n};
        before = unit;
    }
    r->pool_count += *count;
    return first;
}

static size_t count_buckets(struct at_json_each it) {
    size_t wanted = 1;
    while (at_json_next(&it))
        wanted +=
            at_json_count(at_json_get(it.value, "hours")) + at_json_count(at_json_get(it.value, "days"));
    return wanted;
}

static bool read_counts(struct reading *r, struct at_json json) {
    struct at_profile *p = &r->draft->profile;
    struct at_json_each it = list_of(r, json, "counts", COUNTS_MAX, '{');
    r->pool = malloc(count_buckets(it) * sizeof *r->pool);
    if (!r->pool) return false;
    while (at_json_next(&it)) {
        struct buckets *buckets = &r->draft->buckets[p->count_count];
        r->draft->counts[p->count_count++] =
            (struct at_event_count){.name = text_of(r, it.value, "name"),
                                    .total = (uint64_t)big_of(r, it.value, "total"),
                                    .first_ms = moment_of(r, it.value, "first"),
                                    .last_ms = moment_of(r, it.value, "last")};
        buckets->hours = read_buckets(r, it.value, "hours", HOURS_MAX, &buckets->hour_count);
        buckets->days = read_buckets(r, it.value, "days", DAYS_MAX, &buckets->day_count);
    }
    return true;
}

/* A value's text, written again without the spaces that a person's hand may have put in. */
static struct at_text again(struct reading *r, struct at_json value) {
    struct at_json_out out = at_json_out(&r->text);
    at_bytes_reset(&r->text);
    at_json_put_value(&out, value);
    char *copy = r->text.failed ? NULL : at_arena_dup(&r->arena, r->text.data, r->text.length);
    r->is_short |= !copy;
    return (struct at_text){copy ? copy : "", copy ? r->text.length : 0};
}

/* A piece of JSON of that kind and at most that size; what is not there is "". */
static struct at_text piece_of(struct reading *r, struct at_json json, const char *name, char kind,
                               size_t most) {
    struct at_json value = at_json_get(json, name);
    if (!value.tape) return AT_TEXT("");
    struct at_text text = at_json_tag(value) == kind && at_json_count(value) ? again(r, value) : AT_TEXT("");
    if (!text.length || text.length > most) refuse(r, name);
    return text;
}

static void read_lasts(struct reading *r, struct at_json json) {
    struct at_profile *p = &r->draft->profile;
    if (!at_json_get(json, "newest").tape) return;
    struct at_json_each it = list_of(r, json, "newest", AT_LASTS_MAX, '{');
    while (at_json_next(&it)) {
        struct at_last_event *last = &r->draft->lasts[p->last_count++];
        *last = (struct at_last_event){.name = text_of(r, it.value, "name"),
                                       .id = text_of(r, it.value, "id"),
                                       .at_ms = moment_of(r, it.value, "at"),
                                       .properties =
                                           piece_of(r, it.value, "properties", '{', AT_LAST_PROPERTIES_MAX),
                                       .items = piece_of(r, it.value, "items", '[', AT_LAST_ITEMS_MAX),
                                       .is_cut = flag_of(r, it.value, "cut")};
        if (p->last_count > 1 && at_text_order(last[-1].name, last->name) >= 0) refuse(r, "newest");
    }
}

/* Likewise. */
static bool read_traits(struct reading *r, struct at_json json) {
    struct at_json_out out = at_json_out(&r->traits);
    struct at_json traits = object_of(r, json, "traits");
    at_json_put_value(&out, traits);
    draft_stated_again(r->draft, traits);
    r->draft->profile.traits = (struct at_text){r->traits.data, r->traits.length};
    if (r->traits.length > TRAITS_MAX) refuse(r, "traits");
    return !r->traits.failed;
}

static size_t count_order_items(struct at_json orders) {
    static const char *const lists[] = {"list", "awaited"};
    size_t count = 0;
    for (size_t i = 0; i < AT_LENGTH(lists); i++) {
        struct at_json_each it = at_json_each(at_json_get(orders, lists[i]));
        while (at_json_next(&it)) count += at_json_count(at_json_get(it.value, "items"));
    }
    return count;
}

/* false: out of memory. */
static bool read_all(struct reading *r, struct at_json json) {
    struct at_profile *p = &r->draft->profile;
    p->applied_seq = (uint64_t)big_of(r, json, "applied");
    p->first_seen_ms = moment_of(r, json, "first_seen");
    p->last_seen_ms = moment_of(r, json, "last_seen");
    p->sessions = count_of(r, json, "sessions");
    p->visit = visit_of(r, json, "visit");
    p->acquired = acquired_of(r, json);
    p->timezone = text_of(r, json, "timezone");
    p->locale = text_of(r, json, "locale");
    p->country = text_of(r, json, "country");
    read_moments(r, json);
    struct at_json orders = object_of(r, json, "orders");
    r->items = malloc((count_order_items(orders) + 1) * sizeof *r->items);
    if (!r->items) return false;
    read_orders(r, orders);
    read_awaited(r, orders);
    read_basket(r, object_of(r, json, "basket"));
    read_tastes(r, json);
    read_products(r, json);
    read_lasts(r, json);
    read_identifiers(r, json);
    read_consents(r, json);
    return read_traits(r, json) && read_counts(r, json) && !r->is_short;
}

enum at_status at_profile_read(struct at_json json, struct at_account *account, struct at_profile **out,
                               struct at_error *err) {
    int64_t version = 0, person = 0;
    *out = NULL;
    if (!at_json_int(at_json_get(json, "version"), &version) || version != 1 ||
        !at_json_int(at_json_get(json, "person"), &person) || !person)
        return at_fail(err, AT_INVALID, NULL, "this is no profile of version 1");
    struct at_profile *empty = at_profile_new((uint64_t)person, NULL);
    struct reading reading = {.draft = empty ? draft_begin(empty) : NULL};
    at_bytes_init(&reading.traits, 1 << 26);
    at_bytes_init(&reading.text, 1 << 26);
    at_arena_init(&reading.arena, 1 << 26);
    bool is_read = reading.draft && read_all(&reading, json);
    if (is_read && !reading.wrong) *out = draft_finish(reading.draft, account);
    at_bytes_clear(&reading.traits);
    at_bytes_clear(&reading.text);
    at_arena_clear(&reading.arena);
    free(reading.pool);
    free(reading.items);
    if (empty) at_profile_unref(empty);
    if (*out) return AT_OK;
    if (!is_read || !reading.wrong) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    return at_fail_field(err, AT_INVALID, NULL, reading.wrong,
                         "this is no profile of version 1: %s is not what was written", reading.wrong);
}
