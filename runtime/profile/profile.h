/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of one person, as an immutable reference-counted snapshot: state = fold(apply, events of the
 * person's source ids in log order). apply is pure: no clock, no live catalog. Who holds a reference may read
 * it on any thread. In memory a snapshot is one block; it is stored as JSON a person can read; both forms
 * give the same state bit for bit.
 *
 * Ceilings of one profile (oldest or weakest entries go first; exact sums are kept apart and stay exact): 256
 * affinity values, 256 products, 100 orders and as many
 * awaited, 100 basket lines, 64 event names with 48 hourly and 400 daily
 * buckets, 50 identifiers (the newest browsers, and what names the person), 16 KiB of traits, 512 moments of
 * traits, 64 values each of what was said in likes and dislikes (stated.h), 64 statements of consent
 * (consent.h says which go), the newest event of 32 names (struct at_last_event). A refund that names no
 * amount finds its order only while that is among the 100 newest, or awaits it.
 */
#ifndef AT_PROFILE_PROFILE_H
#define AT_PROFILE_PROFILE_H

#include <stdatomic.h>
#include "base/json.h"
#include "base/memory.h"
#include "profile/consent.h"
#include "profile/event.h"

#define AT_SESSION_GAP_MS   (30 * AT_MINUTE_MS)
#define AT_AFFINITY_HALF_MS (30 * AT_DAY_MS)
#define AT_SHOWN_HALF_MS    (3 * AT_DAY_MS)

struct at_known_identifier {
    struct at_text kind, value;
    int64_t since_ms;
};
struct at_order_item {
    struct at_text product;
    double quantity;
};
/* One order as all copies of it together say: the shop's page, its server, its platform tell of it, now and
 * again, in any order. What one copy lacks another fills; what several say is chosen so that it does not
 * matter which came first. */
struct at_order {
    struct at_text id, also[AT_ORDER_ALSO_MAX]; /* id: as the first copy named it; also: its other names */
    int64_t at_ms;                              /* the earliest that a copy says */
    double revenue;
    int64_t revenue_said; /* which copy's: the newest version that its shop vouches for, else the
                             earliest; 0: none named one */
    double refunded;      /* amounts its refunds named, summed */
    bool is_returned;     /* one named none: the whole order, or what is left of it */
    bool is_cancelled;    /* it is none: it counts nowhere */
    bool is_completed;    /* a copy came: else only its refunds, or that it was cancelled */
    struct at_text first_product, category; /* of its dearest item */
    double dearest;                         /* that one's price; < 0: none */
    double quantity;                        /* pieces: the most that a copy says */
    /* What tastes and products met count of it, each with the most pieces that a copy says; the 300 of a
     * profile's newest orders, 50 of one. */
    const struct at_order_item *items;
    uint32_t item_count;
    bool is_closed; /* there were more, or no longer kept: of a copy that comes now no item counts */
};
/* What was given back of it, in whatever order its refunds came. */
static inline double at_order_refunded(const struct at_order *order) {
    return order->is_returned && order->refunded < order->revenue ? order->revenue : order->refunded;
}
/* The order of these names, counted or awaited; NULL: not in the lists. Two copies are of one order if the
 * first name of both is the same; by another name only if they are within a week: numbers are short, and
 * another system may have counted to it before. What happened to an order later (a refund: is_copy false) may
 * be of any moment. */
struct at_order_names {
    struct at_text names[1 + AT_ORDER_ALSO_MAX]; /* "" none */
    int64_t at_ms;
};
#define AT_ORDER_SAME_MS (7 * AT_DAY_MS)
const struct at_order *at_profile_order(const struct at_profile *profile, const struct at_order_names *names,
                                        bool is_copy);
struct at_basket_line {
    struct at_text product, named;
    double price, quantity;
};
struct at_taste { /* decayed weight of one facet value: weight · 2^(−(now − at)/half) */
    struct at_text facet, value;
    double weight;
    int64_t at_ms;
};
struct at_met_product {
    struct at_text product;
    uint32_t views, adds;
    uint32_t bought; /* times: orders it was in */
    double bought_quantity;
    double shown; /* decayed count of being listed without interest, half AT_SHOWN_HALF_MS */
    int64_t shown_at_ms, viewed_at_ms, bought_at_ms; /* 0: never */
};
struct at_event_count {
    struct at_text name;
    uint64_t total;
    int64_t first_ms, last_ms;
};
/* When a trait was said last, or taken away: what is told of earlier does not undo it, in whatever order it
 * comes. Of two of one moment the one that comes later holds. */
struct at_trait_moment {
    struct at_text name;
    int64_t at_ms;
};
/* One value of the traits likes and dislikes: what the person said, against what was inferred. Likes stand
 * before dislikes, each as they were said. Not stored: read out of the traits. */
struct at_stated_taste {
    struct at_text facet, value;
    int64_t at_ms; /* when the trait was said */
    bool is_like;
};
/* The newest event of a name: the one with the latest moment, of several at one moment the one with the
 * largest message id, then the largest text; so in whatever order events come in, the same is kept. Of orders
 * and refunds only those that counted; consent_updated is not kept (consent.h has what it says). Ceilings: of
 * a profile AT_LASTS_MAX names, those with the newest events (of one moment the larger name); a name over
 * AT_LAST_NAME_MAX bytes is not kept. Of an event its scalar properties, in the order sent, as many as fit
 * AT_LAST_PROPERTIES_MAX bytes of JSON (one that does not fit is left out, and so is a text over
 * AT_LAST_TEXT_MAX bytes), and its first products that fit AT_LAST_ITEMS_MAX bytes (of a list that was only
 * shown none); if anything was left out for its size, is_cut says so. A profile stored before these were kept
 * has none: each comes with the next event of its name, or when the person's events are folded anew. */
#define AT_LASTS_MAX           32
#define AT_LAST_NAME_MAX       100
#define AT_LAST_PROPERTIES_MAX 256
#define AT_LAST_TEXT_MAX       100
#define AT_LAST_ITEMS_MAX      400
struct at_last_event {
    struct at_text name, id; /* id: of the message */
    int64_t at_ms;
    struct at_text properties; /* JSON object: names and scalars, as sent; "" none */
    struct at_text items;      /* JSON list of {"product","quantity" unless 1,"price" if known}; "" none */
    bool is_cut;
};
struct at_visit {
    int64_t started_ms, last_ms;
    uint32_t pages, events;
    struct at_text source, campaign, medium, landing, device, referrer;
};
/* The very first visit: when its first event was and, if one within half an hour of it tells of a page or a
 * campaign, what the first that does says. The same whatever was told first. */
struct at_acquired {
    int64_t at_ms;                            /* 0: no visit yet */
    int64_t landed_ms;                        /* of the event that says how; 0: none does */
    struct at_text source, campaign, medium;  /* context.campaign */
    struct at_text landing, referrer, device; /* landing: the page's url, or its path; referrer: "" from a
                                                 page of the shop itself */
};
/* The campaign's source, else the host of the referrer, else "direct"; "": no visit yet. */
struct at_text at_acquired_source(const struct at_acquired *acquired);

struct at_profile {
    _Atomic uint32_t refs;
    size_t bytes; /* of the block */
    struct at_account *account;
    uint64_t person, applied_seq;
    int64_t first_seen_ms, last_seen_ms;
    uint32_t sessions;     /* visits so far, this one included */
    struct at_visit visit; /* the one going on, or the last; an event with context.active false is none */
    struct at_acquired acquired;
    struct at_text traits; /* JSON object, "{}" at least */
    const struct at_trait_moment *trait_moments;
    uint32_t trait_moment_count;
    const struct at_stated_taste *stated;
    uint32_t stated_count;
    struct at_text timezone, locale, country;   /* "" unknown; from context and traits */
    int64_t timezone_ms, locale_ms, country_ms; /* when they were said; a place that was only seen: 0 */
    struct {
        uint64_t count;
        double revenue, refunded;
        int64_t first_ms, last_ms;
    } orders; /* exact over all that were not cancelled */
    const struct at_order *order_list;
    uint32_t order_count;           /* newest last */
    const struct at_order *awaited; /* told of, not counted: refunded before it came, or claimed elsewhere */
    uint32_t awaited_count;         /* last told of last */
    const struct at_basket_line *basket;
    uint32_t basket_count;
    int64_t basket_updated_ms;
    struct at_text basket_url;
    const struct at_taste *tastes;
    uint32_t taste_count;
    const struct at_met_product *products;
    uint32_t product_count;
    const struct at_event_count *counts;
    uint32_t count_count;
    const struct at_last_event *lasts; /* by name */
    uint32_t last_count;
    const struct at_known_identifier *identifiers;
    uint32_t identifier_count;
    const struct at_consent_statement *consents;
    uint32_t consent_count;
    /* the implementation's own data follow (buckets, capacities) */
};

/* An empty profile of that person, one reference. NULL: out of memory. */
struct at_profile *at_profile_new(uint64_t person, struct at_account *account);
struct at_profile *at_profile_ref(struct at_profile *profile);
void at_profile_unref(struct at_profile *profile);

/* The next snapshot (one reference) after one event of the log. body and facts as stored with the event. NULL
 * only when out of memory. base is not changed — unless is_private says the caller holds the only reference
 * and gives it up: then it may be reused in place (batches, folds), and is gone either way. Events with seq ≤
 * applied_seq change nothing. */
struct at_logged_event {
    uint64_t seq;
    int64_t at_ms, received_ms;
    struct at_text name, message_id;
    struct at_json body, facts; /* parsed from the row */
};
/* Which order an event of an order, its refund or its end is about: the texts are the facts'. */
struct at_order_names at_order_names_of(const struct at_logged_event *event);
/* Whether everyone's statistics count the event, and a product of its facts: of an order each once. */
bool at_order_is_news(const struct at_logged_event *event);
bool at_item_is_news(struct at_json item);
struct at_profile *at_profile_apply(struct at_profile *base, const struct at_logged_event *event,
                                    bool is_private);
/* A run of events, one after another, on one copy that nobody sees before the end: the same state as by
 * at_profile_apply, without a block for each. One at a time on a thread, and from its begin to its end
 * nothing else there makes a profile. What an event brings is copied: the next may be read into the same
 * memory. */
struct at_profile_run;
struct at_profile_run *at_profile_run_begin(
    struct at_profile *base); /* which stays as it is; NULL: no memory */
/* False: out of memory. Then the run can only be ended, which gives NULL. */
bool at_profile_run_apply(struct at_profile_run *run, const struct at_logged_event *event);
bool at_profile_run_identifier(struct at_profile_run *run, const struct at_identifier *identifier,
                               int64_t since_ms);
/* As it is so far: valid until the next step; nobody may take a reference. */
const struct at_profile *at_profile_run_state(const struct at_profile_run *run);
/* One reference to what came of it; the base's if nothing was applied. NULL: out of memory. */
struct at_profile *at_profile_run_end(struct at_profile_run *run);
/* The identifiers are not in events alone (links decide): add one; same rules as apply. They stand in the
 * order of since_ms, then of kind and value, in whatever order they are added. */
struct at_profile *at_profile_with_identifier(struct at_profile *base, const struct at_identifier *identifier,
                                              int64_t since_ms, bool is_private);

/* The same past as that person's, who has no identifiers yet: who is joined to somebody is folded on from
 * there. NULL: out of memory. */
struct at_profile *at_profile_become(const struct at_profile *base, uint64_t person,
                                     struct at_account *account);

/* What rules see of who did not agree to personalization: identifiers, place and language, the visit going
 * on, the basket and the consents; no tastes, inferred or said, no products, counts, events, orders or
 * traits. NULL: out of memory. */
struct at_profile *at_profile_plain(const struct at_profile *whole);
/* Tastes that never_use names ("category.intimate"; "traits.likes": all that was said there): whether there
 * are any, and a copy without them. */
bool at_profile_has_unused(const struct at_profile *whole, const struct at_consent_rules *rules);
struct at_profile *at_profile_without_unused(const struct at_profile *whole,
                                             const struct at_consent_rules *rules);

/* Storage form, and back. AT_INVALID if the text is not one of ours. */
void at_profile_write(const struct at_profile *profile, struct at_bytes *out);
enum at_status at_profile_read(struct at_json json, struct at_account *account, struct at_profile **out,
                               struct at_error *err) AT_MUST_CHECK;
/* Equal in everything but refs, bytes, account. */
bool at_profile_equal(const struct at_profile *a, const struct at_profile *b);

/* The face shown by GET /v1/customers/…:
 * {"id":"…","identifiers":[{"kind","value","since"}],"traits":{},"orders":{"count","revenue",
 * "refunded","average","first_at","last_at","typical_interval_days"},"session":{"started_at","is_live","pages","source","campaign","landing","device",
 * "referrer"},"acquired":{"at","source","campaign","medium","landing","device","referrer"},"consent":{"analytics":"granted"},"consent_statements":[…],"basket":{"items":[],"value","count","url","updated_at"},"affinity":{"brand":{"Acme":0.61}},"counts":
 * {"product_viewed":{"total","last_at","within_7d","last":{"id","at","properties","items","cut"}}},"products":[…newest
 * 50],"segments":[{"name","since"}],"first_seen","last_seen"}. */
struct at_baseline;
struct at_zone;
struct at_shown_segment { /* where the person is: kept beside the profile */
    struct at_text name;
    int64_t since_ms;
};
struct at_showing { /* beside the profile */
    int64_t now_ms;
    const struct at_baseline *baseline; /* may be NULL */
    const struct at_zone *zone;         /* the shop's; NULL: UTC */
    const struct at_shown_segment *segments;
    uint32_t segment_count;
};
void at_profile_show(const struct at_profile *profile, const struct at_showing *with, struct at_bytes *out);

/* Events of that name in (now − within, now], from the buckets: exact to the hour for two days, to the day
 * beyond; whether there is one is exact, as long as none is after now. */
uint64_t at_profile_count(const struct at_profile *profile, struct at_text name, int64_t within_ms,
                          int64_t now_ms);
const struct at_event_count *at_profile_counted(const struct at_profile *profile,
                                                struct at_text name); /* NULL: never */
const struct at_last_event *at_profile_last(const struct at_profile *profile,
                                            struct at_text name); /* NULL: none is kept */
const struct at_met_product *at_profile_met(const struct at_profile *profile,
                                            struct at_text product); /* NULL: never */
double at_basket_value(const struct at_profile *profile);
/* "p" + 11 base-62 digits… of the person id, stable: the id shown outside; and back (false: not one). */
#define AT_PERSON_ID_SIZE 24
void at_person_id_format(uint64_t person, char out[AT_PERSON_ID_SIZE]);
bool at_person_id_parse(struct at_text text, uint64_t *person);
/* Who survives a merge: known (has user_id, email or phone) before anonymous, then who did something
 * before who only has conflicts, then the earlier first_seen, then the smaller id. */
uint64_t at_profile_survivor(const struct at_profile *a, const struct at_profile *b);

#endif
