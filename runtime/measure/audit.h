/* SPDX-License-Identifier: Apache-2.0
 *
 * How clean is the foundation? An accumulator that is fed what there is, row by row (identifiers, events,
 * products of a shop; order lines and events of a history that was not imported yet), and then says what is
 * wrong with it, how much money that touches, and what to do next. Pure: no disk, no clock of its own. Used
 * by shop/audit.c and by measure/history.c.
 *
 * Memory is bounded by construction. What is counted row by row is exact. What is counted by key (people,
 * browsers, orders, repeated lines, messages) is exact while all keys fit; beyond that it is an estimate over
 * a fair sample of them (sample.h), and the finding says so with its error. Keys are told apart by 64-bit
 * hashes: of ten million, two are taken for one with a chance of 1 in 370,000.
 *
 * Value, by which findings are ranked: the share of revenue that passes through what is wrong, weighed by how
 * much it spoils (high 1, medium 1/2, low 1/5). What touches no money that can be counted has its share of
 * the records instead, and counts a tenth. Money is as events and lines say it, whatever the currency.
 *
 * Examples are ids: of messages, people, orders, products, or file and line. Addresses and numbers that look
 * like a phone's are masked wherever they come from.
 *
 * One owner, one thread.
 */
#ifndef AT_MEASURE_AUDIT_H
#define AT_MEASURE_AUDIT_H

#include "base/memory.h"
#include "catalog/catalog.h"
#include "profile/consent.h"
#include "profile/event.h"
#include "profile/identity.h"
#include "profile/order_columns.h"

#define AT_AUDIT_MEMORY      ((size_t)512 << 20)
#define AT_AUDIT_EXAMPLES    5
#define AT_AUDIT_EXAMPLE_MAX 72 /* bytes, NUL included; longer ones end in … */
#define AT_AUDIT_PARTS       8
#define AT_AUDIT_NEXT        5
#define AT_AUDIT_LATE_MS     AT_HOUR_MS
#define AT_AUDIT_SKEW_MS     (5 * AT_MINUTE_MS) /* a clock that is wrong by less is as good as right */
#define AT_AUDIT_FUTURE_MS   AT_MINUTE_MS
#define AT_AUDIT_STALE_MS    (30 * AT_DAY_MS)
#define AT_AUDIT_SHARED_MIN  3   /* user ids of one browser */
#define AT_AUDIT_ENORMOUS    100 /* times the median order */

struct at_audit;
struct at_audit_options {
    size_t memory_bytes;        /* ceiling of its tables; 0: AT_AUDIT_MEMORY */
    struct at_account *account; /* they are counted there, too; may be NULL */
    bool is_history;            /* files, not a shop: shares the memory out otherwise */
    int64_t now_ms;
    struct at_text currency;                /* the shop's; "": what most orders are in */
    const struct at_identity_rules *rules;  /* NULL: the usual */
    const struct at_consent_rules *consent; /* NULL: the usual purposes */
    bool has_catalog;                       /* its products are given, so that events can be held to them */
};
/* NULL: out of memory. What options point to is borrowed until free. */
struct at_audit *at_audit_new(const struct at_audit_options *options);
void at_audit_free(struct at_audit *audit);

/* ---- a shop's: first identifiers and products, then events as they came ---- */

struct at_audit_identifier {
    uint64_t id, person;
    uint32_t kind; /* its place in the rules; AT_IDENTITY_KINDS_MAX: no longer declared */
    int64_t since_ms;
};
void at_audit_identifier(struct at_audit *audit, const struct at_audit_identifier *row);
void at_audit_merge(struct at_audit *audit, uint64_t survivor);  /* somebody was found to be this person */
void at_audit_unlink(struct at_audit *audit);                    /* a pair that was taken apart by hand */
void at_audit_withheld(struct at_audit *audit, uint64_t events); /* that consent let only be counted */
/* What the process counted since it began, and keeps nowhere else. */
struct at_audit_counted {
    uint64_t duplicates, invalid, over_limit;
};
void at_audit_counted(struct at_audit *audit, const struct at_audit_counted *counted);

struct at_audit_product {
    struct at_text id;
    struct at_json document;         /* as it was put in */
    double price, list_price, stock; /* missing: it has none */
    struct at_text title, brand, category;
    int64_t updated_ms; /* 0: it does not say */
};
void at_audit_product(struct at_audit *audit, const struct at_audit_product *product);

/* ---- events ---- */

struct at_audit_event {
    const struct at_event *event;   /* parsed; what it names decides who it is about */
    uint64_t source;                /* id of the identifier it belongs to; 0: found by the ids it names */
    int64_t at_ms;                  /* corrected by the clock rule */
    int64_t received_ms;            /* 0: unknown */
    int64_t original_ms, sent_ms;   /* by the sender's clock; 0: it does not say */
    struct at_text where;           /* file and line, for what has no id; "" */
    bool is_conflict;               /* its messageId had another payload before */
    bool is_told_before;            /* its order or refund was there already */
    bool is_known_once;             /* the log keeps each message once: no need to look for copies */
    const struct at_text *purposes; /* consent it states */
    uint32_t purpose_count;
};
void at_audit_event(struct at_audit *audit, const struct at_audit_event *row);
/* One that is no event of attune: code of the refusal ("no_id", "bad_time"). */
void at_audit_refused(struct at_audit *audit, const char *code, struct at_text where);

/* ---- order lines of a history ---- */

struct at_audit_line {
    struct at_text order, product, title, customer, country, currency; /* "": the row does not say */
    double quantity, price;   /* NAN: not said, or unreadable: see below */
    double amount;            /* of the row; NAN: it cannot be told */
    double revenue, discount; /* of the order; NAN: not said in this row */
    int64_t at_ms;            /* 0: empty or unreadable */
    uint64_t hash;            /* of all cells of the row */
    struct at_text where;
    bool is_cancelled;
    bool has_bad_number, has_bad_time; /* a cell that is not empty and cannot be read */
    uint32_t roles; /* bits of those the file has a column for: what is nowhere is not held against rows */
};
void at_audit_order_line(struct at_audit *audit, const struct at_audit_line *line);
void at_audit_bad_row(struct at_audit *audit, struct at_text where); /* no row at all: broken CSV or JSON */

/* ---- what it comes to ---- */

enum at_severity { AT_SEVERITY_LOW, AT_SEVERITY_MEDIUM, AT_SEVERITY_HIGH };
const char *at_severity_word(enum at_severity severity);

struct at_audit_part {
    char name[48];
    uint64_t count;
};
struct at_audit_finding {
    const char *code;  /* "orders_without_currency" */
    const char *title; /* in plain words: "orders without currency" */
    const char *unit;  /* what is counted: "orders" */
    const char *why;   /* what it spoils */
    const char *act;   /* what to do, one sentence */
    int deed;          /* findings with the same number are put right by one thing to do */
    enum at_severity severity;
    uint64_t count, of; /* of so many */
    double money;       /* that passes through it; missing: it touches none that can be counted */
    double money_share; /* of revenue; missing: there is none */
    double value;       /* 0 … 1 */
    double error;       /* half of the 95 % interval, as a share of count; 0: exact */
    char examples[AT_AUDIT_EXAMPLES][AT_AUDIT_EXAMPLE_MAX];
    uint32_t example_count;
    struct at_audit_part parts[AT_AUDIT_PARTS]; /* what it is made of, where that helps */
    uint32_t part_count;
};
struct at_audit_unchecked { /* a check that what there is says nothing about */
    const char *code, *why;
};
struct at_audit_purpose {
    char name[AT_CONSENT_NAME_MAX + 1];
    uint64_t people, unknown; /* of so many, so many said nothing */
};
struct at_audit_visits {
    uint64_t count;
    uint64_t recognised; /* known when they began */
    uint64_t became;     /* … within them */
    uint64_t later;      /* only afterwards: somebody signed in on that browser in a later visit */
    uint64_t never;
    double error; /* of each, as above */
};
struct at_audit_result { /* belongs to the audit */
    uint64_t events, lines, identifiers, people, orders, products, names;
    double people_error, orders_error;
    double revenue;
    char currency[8];          /* "": nobody said */
    int64_t first_ms, last_ms; /* 0: no moment at all */
    struct at_audit_visits visits;
    struct at_audit_purpose purposes[AT_CONSENT_PURPOSES_MAX];
    uint32_t purpose_count;
    struct at_audit_finding *findings; /* most valuable first */
    uint32_t finding_count;
    uint32_t next[AT_AUDIT_NEXT]; /* findings to act on, most valuable first; one for each thing to do */
    uint32_t next_count;
    struct at_audit_unchecked *unchecked;
    uint32_t unchecked_count;
};
/* Once, at the end. AT_NOMEM: its tables could not be had, nothing can be said. */
enum at_status at_audit_finish(struct at_audit *audit, const struct at_audit_result **out) AT_MUST_CHECK;

#endif
