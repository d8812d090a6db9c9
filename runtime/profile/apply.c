/* SPDX-License-Identifier: Apache-2.0
 *
 * One event of the log applied to a profile. Pure: what it needs stands in the event and its facts; the same
 * events in the same order give the same profile, whenever and wherever they are applied.
 */
#include <math.h>
#include <string.h>
#include "profile/draft.h"
#include "profile/names.h"

/* ---- what of an event is asked for each time, found in one pass over each part ---- */

enum { BODY_CONTEXT, BODY_TRAITS, BODY_PARTS };
enum { CONTEXT_ACTIVE, CONTEXT_TIMEZONE, CONTEXT_LOCALE, CONTEXT_LOCATION, CONTEXT_TRAITS, CONTEXT_PARTS };
enum { FACT_ITEMS, FACT_LEARN, FACT_CONFLICT, FACT_CONSENT, FACT_AGAIN, FACT_HEARSAY, FACT_CLAIM, FACTS };
struct told {
    struct at_json body[BODY_PARTS], context[CONTEXT_PARTS], facts[FACTS];
};

static void read_told(struct told *told, const struct at_logged_event *event) {
    static const struct at_text body[BODY_PARTS] = {AT_TEXT_OF_TABLE("context"), AT_TEXT_OF_TABLE("traits")};
    static const struct at_text context[CONTEXT_PARTS] = {
        AT_TEXT_OF_TABLE("active"), AT_TEXT_OF_TABLE("timezone"), AT_TEXT_OF_TABLE("locale"),
        AT_TEXT_OF_TABLE("location"), AT_TEXT_OF_TABLE("traits")};
    static const struct at_text facts[FACTS] = {
        AT_TEXT_OF_TABLE("items"),   AT_TEXT_OF_TABLE("learn"),         AT_TEXT_OF_TABLE("conflict"),
        AT_TEXT_OF_TABLE("consent"), AT_TEXT_OF_TABLE("consent_again"), AT_TEXT_OF_TABLE("hearsay"),
        AT_TEXT_OF_TABLE("claim")};
    at_json_members(event->body, body, BODY_PARTS, told->body);
    at_json_members(told->body[BODY_CONTEXT], context, CONTEXT_PARTS, told->context);
    at_json_members(event->facts, facts, FACTS, told->facts);
}

/* ---- visit ---- */

static bool begins(const char *text, size_t length, const char *word) {
    size_t n = strlen(word);
    return length >= n && memcmp(text, word, n) == 0;
}

static struct at_text or_empty(struct at_text text) {
    return text.data && text.length <= 500 ? text : AT_TEXT("");
}

struct at_text device_of(struct at_json context) {
    struct at_text agent = at_json_text(at_json_get(context, "userAgent"));
    bool is_tablet = false, is_mobile = false;
    for (size_t i = 0; i < agent.length; i++) {
        const char *at = agent.data + i;
        size_t left = agent.length - i;
        if (*at == 'i') {
            is_tablet |= begins(at, left, "iPad");
            is_mobile |= begins(at, left, "iPhone");
        } else if (*at == 'T')
            is_tablet |= begins(at, left, "Tablet");
        else if (*at == 'M')
            is_mobile |= begins(at, left, "Mobi");
        else if (*at == 'A')
            is_mobile |= begins(at, left, "Android");
    }
    if (is_tablet) return AT_TEXT("tablet");
    if (is_mobile) return AT_TEXT("mobile");
    if (agent.length) return AT_TEXT("desktop");
    return or_empty(at_json_text(at_json_get(at_json_get(context, "device"), "type")));
}

static void fill_visit(struct draft *draft, struct at_json context) {
    struct at_json campaign = at_json_get(context, "campaign"), page = at_json_get(context, "page");
    struct at_visit *visit = &draft->profile.visit;
    struct at_text landing = or_empty(at_json_text(at_json_get(page, "path")));
    if (!landing.length) landing = or_empty(at_json_text(at_json_get(page, "url")));
    visit->source = draft_text(draft, or_empty(at_json_text(at_json_get(campaign, "source"))));
    visit->campaign = draft_text(draft, or_empty(at_json_text(at_json_get(campaign, "name"))));
    visit->medium = draft_text(draft, or_empty(at_json_text(at_json_get(campaign, "medium"))));
    visit->landing = draft_text(draft, landing);
    visit->referrer = draft_text(draft, or_empty(at_json_text(at_json_get(page, "referrer"))));
    visit->device = draft_text(draft, device_of(context));
}

/* A system tells it, nobody is here: context.active is false. They are known since then, but not seen. */
static bool apply_seen(struct at_profile *profile, const struct at_logged_event *event,
                       const struct told *told) {
    bool is_active = true;
    at_json_bool(told->context[CONTEXT_ACTIVE], &is_active);
    if (!profile->first_seen_ms || event->at_ms < profile->first_seen_ms)
        profile->first_seen_ms = event->at_ms;
    if (is_active && (!profile->last_seen_ms || event->at_ms > profile->last_seen_ms))
        profile->last_seen_ms = event->at_ms;
    return is_active;
}

static void apply_visit(struct draft *draft, const struct at_logged_event *event, const struct told *told) {
    struct at_profile *profile = &draft->profile;
    bool is_first = profile->sessions == 0,
         is_new = is_first || event->at_ms > profile->visit.last_ms + AT_SESSION_GAP_MS,
         is_page = at_text_is(event->name, "page_viewed") || at_text_is(event->name, "screen_viewed");
    if (!apply_seen(profile, event, told)) return;
    apply_acquired(draft, event, told->body[BODY_CONTEXT]);
    /* Told of later: it belongs to no visit that is known. */
    if (!is_first && event->at_ms < profile->visit.started_ms - AT_SESSION_GAP_MS) return;
    if (is_new) {
        profile->visit = (struct at_visit){.started_ms = event->at_ms, .last_ms = event->at_ms};
        fill_visit(draft, told->body[BODY_CONTEXT]);
        profile->sessions++;
    }
    struct at_visit *visit = &profile->visit;
    if (event->at_ms > visit->last_ms) visit->last_ms = event->at_ms;
    if (event->at_ms < visit->started_ms) visit->started_ms = event->at_ms;
    visit->events++;
    visit->pages += is_page;
}

/* What was said later already stays. */
static void set_text(struct draft *draft, struct at_text *out, int64_t *said_ms, struct at_text text,
                     int64_t at_ms) {
    if (!text.length || text.length > 64 || (out->length && at_ms < *said_ms)) return;
    if (!at_text_equal(*out, text)) *out = draft_text(draft, text);
    *said_ms = at_ms;
}

static void apply_context(struct draft *draft, const struct told *told, struct at_json traits,
                          int64_t at_ms) {
    struct at_profile *profile = &draft->profile;
    struct at_text timezone = at_json_text(told->context[CONTEXT_TIMEZONE]),
                   locale = at_json_text(told->context[CONTEXT_LOCALE]);
    struct at_text country = at_json_text(at_json_get(told->context[CONTEXT_LOCATION], "country"));
    struct at_text said = at_json_text(at_json_get(at_json_get(traits, "address"), "country"));
    if (!said.length) said = at_json_text(at_json_get(traits, "country"));
    set_text(draft, &profile->timezone, &profile->timezone_ms, timezone, at_ms);
    set_text(draft, &profile->locale, &profile->locale_ms, locale, at_ms);
    if (said.length)
        set_text(draft, &profile->country, &profile->country_ms, said, at_ms);
    else if (!profile->country.length && country.length <= 64)
        profile->country = draft_text(draft, country);
}

/* ---- products ---- */

struct item item_of(struct at_json json) {
    static const struct at_text names[] = {AT_TEXT_OF_TABLE("product"), AT_TEXT_OF_TABLE("named"),
                                           AT_TEXT_OF_TABLE("facets"), AT_TEXT_OF_TABLE("price"),
                                           AT_TEXT_OF_TABLE("quantity")};
    struct at_json told[AT_LENGTH(names)];
    at_json_members(json, names, AT_LENGTH(names), told);
    struct item item = {at_json_text(told[0]), at_json_text(told[1]), at_missing(), 1, told[2]};
    if (!item.named.length) item.named = item.product;
    at_json_number(told[3], &item.price);
    at_json_number(told[4], &item.quantity);
    return item;
}

static void add_taste(struct draft *draft, struct at_text facet, struct at_text value, double weight,
                      int64_t at_ms) {
    if (!value.length || value.length > TASTE_VALUE_MAX) return;
    struct at_taste *taste = draft_taste(draft, facet, value, at_ms);
    if (at_ms >= taste->at_ms) {
        taste->weight = taste->weight * decay(at_ms - taste->at_ms, AT_AFFINITY_HALF_MS) + weight;
        taste->at_ms = at_ms;
    } else
        taste->weight += weight * decay(taste->at_ms - at_ms, AT_AFFINITY_HALF_MS);
}

void apply_tastes(struct draft *draft, const struct item *item, double weight, int64_t at_ms) {
    struct at_json_each facets = at_json_each(item->facets);
    while (at_json_next(&facets)) {
        if (at_json_is_string(facets.value))
            add_taste(draft, facets.key, at_json_text(facets.value), weight, at_ms);
        struct at_json_each values = at_json_each(facets.value);
        while (at_json_is_array(facets.value) && at_json_next(&values))
            add_taste(draft, facets.key, at_json_text(values.value), weight, at_ms);
    }
}

static void add_shown(struct at_met_product *met, int64_t at_ms) {
    if (at_ms >= met->shown_at_ms) {
        met->shown = met->shown * decay(at_ms - met->shown_at_ms, AT_SHOWN_HALF_MS) + 1;
        met->shown_at_ms = at_ms;
    } else
        met->shown += decay(met->shown_at_ms - at_ms, AT_SHOWN_HALF_MS);
}

static void apply_met(struct draft *draft, const struct at_logged_event *event, const struct item *item,
                      double interest, bool is_first) {
    bool is_shown = at_text_is(event->name, "product_list_viewed");
    if ((!interest && !is_shown) || !is_first) return; /* not first: one more line of the same product */
    struct at_met_product *met = draft_product(draft, item->product);
    if (is_shown) return add_shown(met, event->at_ms);
    if (interest == 1) met->views++;
    if (interest == 4) met->adds++;
    if (interest == 1 && event->at_ms > met->viewed_at_ms) met->viewed_at_ms = event->at_ms;
    met->shown = 0; /* it did interest */
}

/* Tastes and products met; those of an order are counted by orders.c. */
static void apply_items(struct draft *draft, const struct at_logged_event *event, struct at_json items) {
    double interest = interest_of(event->name);
    struct named_products named;
    named.count = 0; /* the rest is 8 KB that nobody reads */
    struct at_json_each it = at_json_each(items);
    while (at_json_next(&it)) {
        struct item item = item_of(it.value);
        if (!item.product.length) continue;
        bool is_first = is_named_first(&named, item.product);
        if (interest && is_first) apply_tastes(draft, &item, interest, event->at_ms);
        apply_met(draft, event, &item, interest, is_first);
    }
}

/* ---- basket ---- */

static void put_in_basket(struct draft *draft, const struct item *item, double quantity) {
    struct at_profile *profile = &draft->profile;
    uint32_t at = 0;
    while (at < profile->basket_count && !at_text_equal(draft->basket[at].named, item->named)) at++;
    if (at == profile->basket_count) {
        if (quantity <= 0) return;
        if (at == BASKET_MAX) {
            memmove(draft->basket, draft->basket + 1, (BASKET_MAX - 1) * sizeof *draft->basket);
            at = BASKET_MAX - 1;
        } else
            profile->basket_count++;
        draft->basket[at] = (struct at_basket_line){draft_text(draft, item->product),
                                                    draft_text(draft, item->named), item->price, 0};
    }
    draft->basket[at].quantity += quantity;
    if (!at_is_missing(item->price)) draft->basket[at].price = item->price;
    if (draft->basket[at].quantity > 0) return;
    memmove(&draft->basket[at], &draft->basket[at + 1],
            (profile->basket_count - at - 1) * sizeof *draft->basket);
    profile->basket_count--;
}

static void apply_basket(struct draft *draft, const struct at_logged_event *event, struct at_json items,
                         struct at_json context) {
    struct at_profile *profile = &draft->profile;
    bool adds =
        at_text_is(event->name, "product_added") || at_text_is(event->name, "wishlist_product_added_to_cart");
    bool removes = at_text_is(event->name, "product_removed");
    bool is_whole = at_text_is(event->name, "cart_updated"); /* and empty when it is */
    bool replaces = is_whole || at_text_is(event->name, "cart_viewed") ||
                    at_text_is(event->name, "checkout_started") ||
                    at_text_is(event->name, "checkout_updated");
    bool clears = at_text_is(event->name, "order_completed");
    if (!adds && !removes && !replaces && !clears) return;
    if (event->at_ms < profile->basket_updated_ms) return; /* a newer state is known */
    if (clears || is_whole || (replaces && at_json_count(items))) profile->basket_count = 0;
    struct at_json_each it = at_json_each(items);
    while (!clears && at_json_next(&it)) {
        struct item item = item_of(it.value);
        if (item.product.length) put_in_basket(draft, &item, removes ? -item.quantity : item.quantity);
    }
    profile->basket_updated_ms = event->at_ms;
    struct at_text url = at_json_text(at_json_get(at_json_get(event->body, "properties"), "cart_url"));
    if (!url.length && replaces) url = at_json_text(at_json_get(at_json_get(context, "page"), "url"));
    if (url.length && url.length <= 1000) profile->basket_url = draft_text(draft, url);
    if (clears) profile->basket_url = AT_TEXT("");
}

/* ---- consent ---- */

/* Each says through which source it was said: an event stays with its source for ever. */
static void apply_consent(struct draft *draft, struct at_json said_with) {
    struct at_profile *profile = &draft->profile;
    struct at_json_each it = at_json_each(said_with);
    while (at_json_next(&it)) {
        struct at_consent_statement said;
        if (!at_consent_parse(it.value, &said)) continue;
        struct at_text *const texts[] = {&said.purpose, &said.channel, &said.said, &said.wording};
        for (size_t i = 0; i < AT_LENGTH(texts); i++) *texts[i] = draft_text(draft, *texts[i]);
        profile->consent_count = at_consent_add(draft->consents, profile->consent_count, &said);
    }
}

/* The same word again, later: what comes in late from between does not undo it. The browser's signal is not
 * answered by a word from before it. */
static void apply_consent_again(struct draft *draft, const struct at_logged_event *event,
                                const struct told *told) {
    struct at_profile *profile = &draft->profile;
    struct at_consent_said object[AT_CONSENT_OBJECT_MAX];
    int64_t source;
    uint32_t count;
    if (!at_json_int(told->facts[FACT_AGAIN], &source)) return;
    at_consent_object(told->body[BODY_CONTEXT], object, &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct at_consent_statement *last =
            at_consent_last(profile, (uint64_t)source, object[i].purpose);
        if (!last || last->is_granted != object[i].is_granted || last->at_ms >= event->at_ms) continue;
        if (last->is_granted && at_consent_signal(profile, (uint64_t)source, object[i].purpose)) continue;
        struct at_consent_statement again = *last;
        again.at_ms = event->at_ms;
        profile->consent_count = at_consent_add(draft->consents, profile->consent_count, &again);
    }
}

/* ---- all of it ---- */

/* What is told of money is the newest of its name only if it may be believed; which copy of an order came
 * first does not matter. Of refunds the one that counts: one without an id counts as it comes. */
static bool may_be_last(const struct at_logged_event *event, const struct told *told) {
    bool is_hearsay = false, is_won = true;
    at_json_bool(told->facts[FACT_HEARSAY], &is_hearsay);
    at_json_bool(told->facts[FACT_CLAIM], &is_won);
    return !is_hearsay && (is_won || !at_text_is(event->name, "order_refunded"));
}

bool apply_event(struct draft *draft, const struct at_logged_event *event) {
    struct told told;
    read_told(&told, event);
    struct at_json traits = told.body[BODY_TRAITS], items = told.facts[FACT_ITEMS],
                   about = told.context[CONTEXT_TRAITS];
    draft->profile.applied_seq = event->seq;
    if (told.facts[FACT_CONFLICT].tape) return !draft->is_short;
    apply_consent(draft, told.facts[FACT_CONSENT]);
    /* no visit, and nothing that may need a consent; of the others nobody did anything */
    if (at_text_is(event->name, "consent_updated") || at_event_is_own(event->name)) {
        draft_count(draft, event->name, event->at_ms);
        return !draft->is_short;
    }
    apply_consent_again(draft, event, &told);
    bool learns = true;
    at_json_bool(told.facts[FACT_LEARN], &learns);
    bool is_identify = at_text_is(event->name, "identified"),
         is_order = at_text_is(event->name, "order_completed");
    apply_visit(draft, event, &told);
    /* A clock that is ahead must not hold what is said until it is reached. */
    int64_t said_ms = event->at_ms < event->received_ms ? event->at_ms : event->received_ms;
    apply_context(draft, &told, is_identify ? traits : about, said_ms);
    if (!draft_traits(draft, about, said_ms) || (is_identify && !draft_traits(draft, traits, said_ms)))
        return false;
    if (!is_order) draft_count(draft, event->name, event->at_ms);
    if (!is_order && learns) apply_items(draft, event, items);
    if (may_be_last(event, &told)) draft_last(draft, event, items);
    apply_basket(draft, event, items, told.body[BODY_CONTEXT]);
    apply_order(draft, event, learns);
    return !draft->is_short;
}
