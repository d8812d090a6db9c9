/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the audit share: its tables, its tallies, and what each finding says.
 */
#ifndef AT_MEASURE_AUDIT_INTERNAL_H
#define AT_MEASURE_AUDIT_INTERNAL_H

#include "base/map.h"
#include "measure/audit.h"
#include "measure/sample.h"

/* In the order of audit_codes.c. */
enum code {
    /* rows of a history */
    ROWS_UNREADABLE,
    LINES_WITHOUT_CUSTOMER,
    LINES_CANCELLED,
    LINES_REPEATED,
    LINES_PRICE,
    LINES_QUANTITY,
    LINES_NUMBER,
    LINES_TIME,
    LINES_WITHOUT_PRODUCT,
    LINES_WITHOUT_TITLE,
    LINES_NO_PRODUCT,
    ORDERS_SEVERAL_CUSTOMERS,
    CUSTOMERS_COUNTRIES,
    PRODUCTS_TITLES,
    CANCELLED_UNBOUGHT,
    /* events */
    EVENTS_WITHOUT_ID,
    EVENTS_REFUSED,
    IDS_NOBODY,
    EVENTS_DUPLICATE,
    EVENTS_CONFLICT,
    EVENTS_WITHOUT_MESSAGE,
    CLOCKS_WRONG,
    EVENTS_FUTURE,
    EVENTS_LATE,
    NAMES_MISSPELT,
    EVENTS_PRODUCT,
    EVENTS_UNSAID,
    EVENTS_WITHHELD,
    /* orders */
    ORDERS_WITHOUT_ID,
    ORDERS_NOBODY,
    ORDERS_LOOSE,
    ORDERS_CURRENCY,
    ORDERS_OTHER_CURRENCY,
    ORDERS_EMPTY,
    ORDERS_SUM,
    ORDERS_WITHOUT_REVENUE,
    ORDERS_NOT_POSITIVE,
    ORDERS_ENORMOUS,
    ORDERS_TWICE,
    REFUNDS_ORPHAN,
    REFUNDS_LARGE,
    /* people */
    PEOPLE_CONFLICT,
    PEOPLE_COUNTRY,
    PEOPLE_TRAITS,
    PEOPLE_LIMIT,
    PEOPLE_MERGED,
    SHARED_BROWSERS,
    SHARED_ADDRESSES,
    IDENTIFIERS_APART,
    IDENTIFIERS_OVER,
    CONSENT_UNKNOWN,
    VISITS_UNKNOWN,
    /* products */
    PRODUCTS_PRICE,
    PRODUCTS_PRICE_ZERO,
    PRODUCTS_STOCK,
    PRODUCTS_TITLE,
    PRODUCTS_IMAGE,
    PRODUCTS_DESCRIPTION,
    PRODUCTS_CATEGORY,
    PRODUCTS_BRAND,
    PRODUCTS_TITLE_TWICE,
    PRODUCTS_LIST_PRICE,
    PRODUCTS_STALE,
    PRODUCTS_UNDATED,
    CODES
};
#define CODE_PRODUCT_FIRST PRODUCTS_PRICE /* from here on: of the catalog's products, a flag each */

enum whole { /* what a count is a share of */
             OF_ROWS,
             OF_LINES,
             OF_MESSAGES,
             OF_EVENTS,
             OF_ORDERS,
             OF_REFUNDS,
             OF_PEOPLE,
             OF_BROWSERS,
             OF_ADDRESSES,
             OF_IDENTIFIERS,
             OF_VISITS,
             OF_PRODUCTS,
             OF_PAIRS,
             WHOLES
};
struct definition {
    const char *code, *title, *unit;
    enum whole whole;
    enum at_severity severity;
    int deed; /* findings of one deed are put right by one thing to do */
    const char *why, *act;
};
extern const struct definition audit_definitions[CODES];

struct tally {
    uint64_t count;
    double money, error;
    bool has_money;
    char examples[AT_AUDIT_EXAMPLES][AT_AUDIT_EXAMPLE_MAX];
    uint32_t example_count;
    struct at_audit_part parts[AT_AUDIT_PARTS];
    uint32_t part_count;
};

/* ---- records by key ---- */
enum space { /* keeps keys of different kinds apart */
             SPACE_LINE_ORDER,
             SPACE_CUSTOMER,
             SPACE_PRODUCT,
             SPACE_TITLE,
             SPACE_MESSAGE,
             SPACE_ORDER,
             SPACE_VISITOR,
             SPACE_USER,
             SPACE_ADDRESS,
             SPACE_COUNTRY,
             SPACE_TRAIT
};
struct person {
    uint64_t country;              /* hash of the last one said; 0: none */
    double revenue, loose_revenue; /* of its orders; of those with no visit before them */
    uint32_t orders, loose_orders;
    uint32_t events, unsaid;                /* unsaid: before anything was said of consent */
    uint32_t said;                          /* a bit for each purpose */
    uint8_t of_kind[AT_IDENTITY_KINDS_MAX]; /* identifiers that count to the limit, 255 at most */
    uint8_t flips;                          /* of the country */
    uint8_t merges;
    bool is_known, has_visit, has_trait_conflict;
    bool is_absorbed; /* it turned out to be somebody else, who has what it had */
    bool is_customer; /* of order lines */
    uint8_t room[5];
};
struct browser { /* a source of events */
    uint64_t person;
    int64_t started_ms, last_ms; /* of the visit going on; 0: none yet */
    uint32_t visits, recognised, became, unknown;
    bool is_known;
    bool knew, becomes; /* of the visit going on */
    uint8_t room[5];
};
struct order {
    double revenue, refunded, subtotal, discount;
    uint64_t customer; /* of lines: hash; 0: none yet */
    uint32_t told, lines;
    bool has_order, has_refund, has_other_amount, has_other_customer, has_currency, has_subtotal;
    bool is_cancelled, is_line;
    char id[24]; /* for examples; masked and cut */
};
struct product {
    double revenue;
    uint64_t title; /* hash of the one said first */
    uint32_t flags; /* bit of code − CODE_PRODUCT_FIRST */
    bool is_in_catalog, is_named, has_other_title;
    uint8_t room[1];
};
struct title {
    uint64_t product, count;
};
struct shared { /* an identifier, and how many user ids were named with it */
    uint32_t partners;
    bool is_address;
    uint8_t room[3];
};
struct trait {
    uint64_t value, source;
};
struct message {
    uint64_t payload;
    uint32_t copies, conflicts;
};
struct line {
    uint32_t count;
    float amount;
};
struct bought {
    double net; /* pieces bought less pieces given back */
};
struct name { /* of an event */
    uint64_t count;
    double money;
    bool is_known;
    char example[AT_AUDIT_EXAMPLE_MAX];
};
/* Ids that may be examples, once all is known. */
#define CANDIDATES_MAX 64
struct candidates {
    struct {
        uint64_t key;
        char text[AT_AUDIT_EXAMPLE_MAX];
    } list[CANDIDATES_MAX];
    uint32_t count;
};
struct largest { /* orders */
    uint64_t key;
    double revenue;
    char text[AT_AUDIT_EXAMPLE_MAX];
};
#define NAMES_MAX      2048
#define CURRENCIES_MAX 32
struct currency {
    char name[8];
    uint64_t orders;
    double revenue;
    char example[AT_AUDIT_EXAMPLE_MAX]; /* the first order in it */
};

struct at_audit {
    struct at_audit_options options;
    struct at_identity_rules rules;
    struct at_sample people, browsers, orders, products, titles, shared, pairs, traits, messages, lines,
        bought; /* of the structs above; pairs have nothing but a key */
    struct tally tallies[CODES];
    uint64_t wholes[WHOLES];
    char purposes[AT_CONSENT_PURPOSES_MAX][AT_CONSENT_NAME_MAX + 1];
    uint32_t purpose_count;
    bool has_own_purposes; /* those of shop.lua are all that count */
    struct at_map names;   /* → index into name_list */
    struct name name_list[NAMES_MAX];
    uint64_t unnamed; /* events whose name had no room */
    struct currency currencies[CURRENCIES_MAX];
    uint32_t currency_count;
    struct candidates nobody, unbought;
    struct largest largest[AT_AUDIT_EXAMPLES];
    uint32_t largest_count;
    double revenue;
    int64_t first_ms, last_ms;
    uint64_t identifiers, timed,
        received;        /* events whose sender's clock is known; whose moment of coming is */
    uint32_t line_roles; /* with a column in some file */
    uint64_t digits;     /* lines whose product code has a digit */
    bool is_short;       /* of memory */
    struct at_audit_result result;
    struct at_audit_finding findings[CODES];
    struct at_audit_unchecked unchecked[24];
};

/* ---- audit.c ---- */
void audit_count(struct at_audit *audit, enum code code, struct at_text example);
void audit_money(struct at_audit *audit, enum code code, double money);
void audit_example(struct at_audit *audit, enum code code, struct at_text example);
void audit_part(struct at_audit *audit, enum code code, const char *name, uint64_t count); /* adds */
/* An example without what could find a person: addresses and numbers like a phone's. */
void audit_mask(struct at_text text, char out[AT_AUDIT_EXAMPLE_MAX]);
void audit_candidate(struct candidates *list, uint64_t key, struct at_text text);
void audit_moment(struct at_audit *audit, int64_t at_ms);
uint64_t audit_hash(enum space space, struct at_text text); /* never 0 */
/* Its bit's place; AT_CONSENT_PURPOSES_MAX: nobody asks for it, or there is no room. */
uint32_t audit_purpose(struct at_audit *audit, struct at_text name);
struct currency *audit_currency(struct at_audit *audit, struct at_text name);
/* Another order in it. */
void audit_currency_order(struct at_audit *audit, struct at_text name, struct at_text order);
void audit_largest(struct at_audit *audit, uint64_t key, double revenue, struct at_text id);
void audit_order_id(struct order *order, struct at_text id); /* once */
/* at_sample_put that notes when memory cannot be had. */
void *audit_put(struct at_audit *audit, struct at_sample *sample, uint64_t key, uint64_t group, bool *is_new);
/* ---- audit_people.c ---- */
/* Who an event is about: of a shop by its ledger, else by the ids it names. person 0: not in the sample. */
struct who {
    uint64_t source, person;
    struct browser *browser; /* NULL: not in the sample */
    bool is_strong;          /* it names somebody, not only a browser */
};
struct who audit_who(struct at_audit *audit, const struct at_audit_event *row);
void audit_person(struct at_audit *audit, const struct at_audit_event *row, const struct who *who);
void audit_country(struct at_audit *audit, enum code code, struct person *person, struct at_text country,
                   struct at_text example);
/* Its visit is over: what became of it is counted. */
void browser_end_visit(struct browser *browser);
/* ---- audit_orders.c ---- */
void audit_order_event(struct at_audit *audit, const struct at_audit_event *row, const struct who *who);
/* ---- audit_products.c ---- */
void audit_items(struct at_audit *audit, const struct at_audit_event *row);
/* ---- audit_gather.c: what tables come to ---- */
void audit_gather(struct at_audit *audit);

#endif
