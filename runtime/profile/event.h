/* SPDX-License-Identifier: Apache-2.0
 *
 * One event as the tracking SDKs send it, validated and put into the one vocabulary inside. Used by
 * shop/track; pure. Texts are borrowed from the parsed JSON unless they had to be normalised (then in the
 * arena).
 */
#ifndef AT_PROFILE_EVENT_H
#define AT_PROFILE_EVENT_H

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "profile/identity.h"

#define AT_EVENT_BYTES_MAX  (32 * 1024)
#define AT_BATCH_BYTES_MAX  (500 * 1024)
#define AT_BATCH_EVENTS_MAX 2500
#define AT_EVENT_ITEMS_MAX  500 /* products of one event; more: invalid, named */
#define AT_ORDER_ALSO_MAX   2   /* names of an order besides its id */

enum at_event_type {
    AT_EVENT_IDENTIFY,
    AT_EVENT_TRACK,
    AT_EVENT_PAGE,
    AT_EVENT_SCREEN,
    AT_EVENT_GROUP,
    AT_EVENT_ALIAS
};

struct at_identifier {
    struct at_text kind, value; /* normalised: "anonymous_id" "user_id" "email" "phone", the shop's own */
};
#define AT_EVENT_IDENTIFIERS_MAX (AT_IDENTITY_KINDS_MAX + 1) /* one of each kind, and an alias */

struct at_event_item {
    struct at_text named;   /* as the event named it: product_id, sku, variant …; "" if it named none */
    struct at_text product; /* the product's own id if the catalog knows it, else as named */
    uint32_t row;           /* AT_ROW_NONE: unknown */
    double price;           /* missing if neither event nor catalog says; major units */
    double quantity;        /* 1 if not said */
    struct at_text category, brand; /* as the event says them, when the catalog does not know the product */
    bool is_again;                  /* of the shop's rules: a copy of its order brought it before */
};

struct at_event {
    enum at_event_type type;
    struct at_text type_word;  /* "track" */
    struct at_text event;      /* as sent: "Product Viewed"; page, screen: their name; else "" */
    struct at_text name;       /* canonical: "product_viewed", "page_viewed", "screen_viewed", "identified",
                                  "grouped", "aliased" */
    struct at_text message_id; /* given, or made by the caller when absent */
    struct at_text anonymous_id, user_id, previous_id, group_id; /* as sent, trimmed; "" absent or blocked */
    struct at_identifier *identifiers;                           /* the arena's; the source's own first */
    uint32_t identifier_count;
    int64_t at_ms, received_ms;
    struct at_text order_id, refund_id;           /* "" none; of "#1001" the # is left out */
    struct at_text order_also[AT_ORDER_ALSO_MAX]; /* its order_number and order_name, where they differ; "" */
    int64_t
        order_updated_ms; /* updated_at of the properties: which version of the order this is; 0: not said */
    double revenue; /* of orders: after discounts, before tax and shipping; of refunds: the amount; missing if
                       not said */
    struct at_text currency; /* "EUR" or "" */
    struct at_event_item *items;
    uint32_t item_count;
    struct at_json json;                        /* the whole event as sent */
    struct at_json properties, traits, context; /* no value if absent */
    /* Of the shop's rules, put in before the facts are written. */
    uint64_t consent_again; /* source whose context.consent only repeats what it said before; 0: none */
    bool is_unproven;       /* it names more than one identifier, and nobody vouches for that */
    bool is_unlearned;      /* without consent to personalization: nobody's taste learns from it */
    bool is_backfill;       /* of the past, by an import: it is folded like any other and triggers nothing */
    bool is_hearsay;        /* a page's word on money that a system vouches for: it moves none */
    bool brings_items;      /* a copy of an order that counts already, with products it had not */
};

struct at_event_defaults {  /* of a batch or of the route */
    struct at_text type;    /* route's: "track"; "" in a batch */
    struct at_json context; /* the batch's default context; no value if none */
    struct at_json sent_at; /* of the batch; no value if none */
    int64_t received_ms;    /* the shop's clock */
    bool is_import;      /* caller-set timestamp is kept as is, whatever originalTimestamp says; backfill */
    bool any_identifier; /* an address or a kind of the shop's own names somebody, too */
    const struct at_identity_rules *rules; /* NULL: the usual */
};

/* AT_INVALID with field and message: not an object, unknown type, neither id (of an import: no identifier),
 * track without event or with a name of attune's own, ids over 500 bytes, messageId over 100, bad timestamp,
 * over 32 KiB (checked by the caller on the text), > 300 traits or properties, > 500 items. Both spellings:
 * anonymousId and anonymous_id, … Numbers as ids are taken as their decimal text. Clock: originalTimestamp
 * and sentAt given: at = received − (sentAt − original); timestamp and sentAt, as the browser SDKs send them,
 * the same if sentAt is more than a minute from received; else timestamp as given; else received. A moment
 * more than 24 h in the future is set to received. Identifiers are written the one way and count as absent if
 * they name nobody (identity.h). email, phone and the kinds of the shop's own are taken from traits,
 * context.traits, properties, in this order, those also from context.externalIds ({"type","id"}). root:
 * resolves items; may be NULL. */
enum at_status at_event_parse(struct at_arena *arena, struct at_json json,
                              const struct at_event_defaults *defaults, const struct at_root *root,
                              struct at_event *out, struct at_error *err) AT_MUST_CHECK;
/* What makes two copies of a message the same: what happened, to whom, with which properties; not when it was
 * sent again. Stored: never changes. */
uint64_t at_event_payload(const struct at_event *event);
/* A moment: RFC 3339 text, or milliseconds as Date.now() gives them; false: it is none. */
bool at_event_moment(struct at_json value, int64_t *ms, struct at_error *err);
/* Of the member name, or of other if there is none such; 0: no moment. */
int64_t at_event_moment_of(struct at_json json, const char *name, const char *other);
bool at_event_has_message_id(struct at_json json); /* else it gets one */
/* The one that is made of what an event says, for events of a file: of its hash, and the how-manieth of its
 * kind it is in the file. So two equal events are two, and the same ones when the file is read again. */
#define AT_EVENT_DERIVED_ID_SIZE 48
void at_event_derived_id(uint64_t hash, uint64_t number, char out[AT_EVENT_DERIVED_ID_SIZE]);
/* "Product Viewed", "productViewed", "product-viewed" → "product_viewed" (arena). Known synonyms of the
 * e-commerce standard are folded: "completed_order" → "order_completed". */
struct at_text at_event_canonical(struct at_arena *arena, struct at_text event);
bool at_event_is_known(struct at_text canonical); /* a name of the standard vocabulary */
const char *const *at_event_known_names(void);    /* NULL-terminated */
/* A name that attune alone writes: an event of that name from outside is invalid. */
bool at_event_is_own(struct at_text canonical);
#define AT_EVENT_SEGMENT_ENTERED "segment_entered"
#define AT_EVENT_SEGMENT_LEFT    "segment_left"

/* What apply needs beside the event itself, as stored with it in the log: for each item product, price,
 * quantity and the facet values of the catalog at this moment; whether the order or refund claim was won (of
 * an order_cancelled: whether it holds); "also" and "updated" of an order, which the caller takes out of the
 * event if nobody vouches for them; "brings_items"; "consent_again" and "learn" false of an unlearned one;
 * "unproven" true, for a rehearsal of other rules; "backfill" true of the past. Written as compact JSON to
 * out. Of one product there are AT_FACETS_BYTES_MAX of facets, in the order of the catalog's attributes (an
 * event of 500 products must end somewhere); values over 200 bytes are descriptions and left out, but of
 * category. Returns the first product with more facets than that, data NULL: all are whole. */
#define AT_FACETS_BYTES_MAX (8 * 1024)
struct at_text at_event_write_facts(const struct at_event *event, const struct at_root *root, bool claim_won,
                                    struct at_bytes *out);
/* Whether stored facts are of an event of the past. The mark stands first in them, so that who reads the log
 * sees it without parsing. What it promises: a profile is the same as if the event had been sent when it
 * happened and everyone's tastes learn from it at its own moment, but no consumer may act on it: nothing is
 * sent, started or told to anybody because of it. */
#define AT_BACKFILL_FACTS "{\"backfill\":true"
static inline bool at_event_is_backfill(struct at_text facts) {
    return facts.length >= sizeof AT_BACKFILL_FACTS - 1 &&
           memcmp(facts.data, AT_BACKFILL_FACTS, sizeof AT_BACKFILL_FACTS - 1) == 0;
}
/* The facts of an event whose messageId another payload has: it stands in the log and counts nowhere. */
#define AT_CONFLICT_FACTS "{\"conflict\":true}"
/* The event as kept in the log: as sent, minified, writeKey and secrets left out, with receivedAt. */
void at_event_write_body(const struct at_event *event, struct at_bytes *out);

#endif
