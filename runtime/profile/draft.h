/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to profile/: a profile being changed. A snapshot is one block and never changes; a draft borrows
 * its texts and changes lists in scratch memory of the thread, for one event or a run of them, and becomes
 * the next block. What it takes from an event it copies (draft_text): the next event may be read into the
 * same memory.
 */
#ifndef AT_PROFILE_DRAFT_H
#define AT_PROFILE_DRAFT_H

#include "base/arena.h"
#include "profile/profile.h"
#include "profile/stated.h"

#define TASTES_MAX      256
#define PRODUCTS_MAX    256
#define ORDERS_MAX      100
#define ORDER_ITEMS_MAX 50
#define ORDERS_ITEMS    300 /* of all orders of a profile */
#define BASKET_MAX      100
#define COUNTS_MAX      64
#define HOURS_MAX       48
#define DAYS_MAX        400
#define IDENTIFIERS_MAX 50
#define TRAITS_MAX      (16 * 1024)
#define MOMENTS_MAX     512
#define TASTE_VALUE_MAX 200 /* bytes: what is longer is a description, not a taste */
#define STATED_MAX      (2 * AT_STATED_VALUES_MAX)
#define LAST_ROOM       4096 /* bytes of JSON: a text of AT_LAST_ITEMS_MAX, and one product more */

struct bucket {
    int32_t unit; /* hours or days since 1970 */
    uint32_t count;
};
struct buckets { /* of one event name, ascending */
    const struct bucket *hours, *days;
    uint32_t hour_count, day_count;
};
struct block {                     /* a snapshot */
    struct at_profile profile;     /* first */
    const struct buckets *buckets; /* for profile.counts[i] */
};
/* A product of an event's facts. */
struct item {
    struct at_text product, named;
    double price, quantity;
    struct at_json facets;
};
/* How many of a name's buckets the draft has room for in memory of its own; 0: they are its base's. */
struct bucket_room {
    uint32_t hours, days;
};
struct draft {
    union {
        struct at_profile profile; /* its lists point below */
        struct block block;        /* the same: it can be asked what a snapshot can */
    };
    struct at_order orders[ORDERS_MAX + 1], awaited[ORDERS_MAX + 1];
    struct at_order_item order_items[ORDER_ITEMS_MAX + 1]; /* of the one that changes */
    struct at_basket_line basket[BASKET_MAX + 1];
    struct at_taste tastes[TASTES_MAX + 1];
    struct at_stated_taste stated[STATED_MAX];
    struct at_met_product products[PRODUCTS_MAX + 1];
    struct at_event_count counts[COUNTS_MAX + 1];
    struct buckets buckets[COUNTS_MAX + 1];
    struct bucket_room room[COUNTS_MAX + 1];
    struct at_last_event lasts[AT_LASTS_MAX + 1];
    struct at_known_identifier identifiers[IDENTIFIERS_MAX + 1];
    struct at_consent_statement consents[AT_CONSENT_MAX + 1];
    struct at_trait_moment trait_moments[MOMENTS_MAX + 1];
    struct item lines[AT_EVENT_ITEMS_MAX]; /* of the order told of */
    char traits[2][TRAITS_MAX + 2];        /* one to read from, one to write to */
    char last[2][LAST_ROOM];               /* properties and items of the one event that is applied */
    struct at_arena kept;                  /* what was taken from events */
    bool is_short;                         /* of memory: something could not be kept */
    bool is_changed;                       /* by the run that goes on */
    struct at_profile *base;               /* of that run: a reference; NULL: none goes on */
};
/* The calling thread's draft, filled from base, which stays until it is finished. NULL: out of memory. */
struct draft *draft_begin(const struct at_profile *base);
/* Copies that last as long as the draft; if there is no memory for one, is_short is set: NULL, or "". */
void *draft_copy(struct draft *draft, const void *data, size_t length);
struct at_text draft_text(struct draft *draft, struct at_text text);
/* A new block with one reference; NULL: out of memory, or something could not be kept. The draft borrows
 * until here. */
struct at_profile *draft_finish(struct draft *draft, struct at_account *account);
void draft_count(struct draft *draft, struct at_text name, int64_t at_ms);
/* The event as the newest of its name, if it is. */
void draft_last(struct draft *draft, const struct at_logged_event *event, struct at_json items);
/* One that was counted at that moment was none. Its first and last moment stay as they are, until said. */
void draft_uncount(struct draft *draft, struct at_text name, int64_t at_ms);
void draft_count_last(struct draft *draft, struct at_text name, int64_t last_ms);
/* Set the members of an object, said at that moment: of one that was said later nothing changes. null
 * removes; over TRAITS_MAX the least recently set go. false: out of memory. */
bool draft_traits(struct draft *draft, struct at_json traits, int64_t at_ms);
/* stated.c: the trait of that kind said anew; no value: it is gone. */
void draft_stated(struct draft *draft, struct at_json trait, bool is_like, int64_t at_ms);
/* Both, out of the profile's own traits and the moments of them. */
void draft_stated_again(struct draft *draft, struct at_json traits);
static inline const struct block *block_of(const struct at_profile *profile) {
    return (const struct block *)profile;
}
double decay(int64_t span_ms, int64_t half_ms); /* 2^(−span/half); span ≤ 0: 1 */

/* at_text_equal for lists that are searched for every event: names of one length differ at their end most
 * often. */
static inline bool is_name(struct at_text a, struct at_text b) {
    if (a.length != b.length) return false;
    return !a.length || (a.data[a.length - 1] == b.data[b.length - 1] && at_text_equal(a, b));
}

/* The lists of a draft, with their ceilings: the oldest or weakest goes. */
struct at_met_product *draft_product(struct draft *draft, struct at_text product);
struct at_taste *draft_taste(struct draft *draft, struct at_text facet, struct at_text value, int64_t at_ms);

/* apply.c, for orders.c and acquired.c */
struct item item_of(struct at_json json);
struct at_text device_of(struct at_json context);
/* acquired.c: of an event of somebody who is here. */
void apply_acquired(struct draft *draft, const struct at_logged_event *event, struct at_json context);
/* One event; false: out of memory, and the draft is good for nothing. */
bool apply_event(struct draft *draft, const struct at_logged_event *event);
void apply_tastes(struct draft *draft, const struct item *item, double weight, int64_t at_ms);
/* In the order they came to be known, then by name, so that it does not matter which was told first; over
 * IDENTIFIERS_MAX the oldest browser goes, what names the person only if there is none. */
void draft_identifier(struct draft *draft, const struct at_known_identifier *one);
/* orders.c: an order, its refunds, its end; the order's products, if learns. */
void apply_order(struct draft *draft, const struct at_logged_event *event, bool learns);

/* The products an event has named so far: each counts once an event, however many lines it has. */
struct named_products {
    struct at_text products[AT_EVENT_ITEMS_MAX];
    uint32_t count;
};
static inline bool is_named_first(struct named_products *named, struct at_text product) {
    for (uint32_t i = 0; i < named->count; i++)
        if (at_text_equal(named->products[i], product)) return false;
    if (named->count < AT_EVENT_ITEMS_MAX) named->products[named->count++] = product;
    return true;
}

#endif
