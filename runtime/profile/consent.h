/* SPDX-License-Identifier: Apache-2.0
 *
 * What a person agreed to, and the one function that answers "allowed?". A statement says: for this purpose
 * (on this channel), yes or no, from then until then, said through this source. The log keeps every
 * statement; a profile keeps those that can still matter, so that merge, unmerge and recovery are the same
 * fold as everything. Pure: no clock, no settings of its own; nobody else compares these words.
 *
 * The state of a purpose. Of each source the latest statement counts that has not expired, among its own and
 * those said for the whole person; of two of one moment the no. Across sources the strictest: one no is no;
 * else one yes is yes; else nobody knows. Asked without a channel every channel that was named must agree. So
 * the answer depends on when things were said, never on the order in which they came in.
 *
 * The signal of a browser (Sec-GPC) stands beside what was said through it: only its first sight counts, so
 * that a yes said later wins although the browser goes on sending the signal.
 *
 * Ceiling: AT_CONSENT_MAX statements of a profile. A statement goes as soon as a later one of the same
 * source, purpose and channel lasts as long (superseded: the answer is the same without it, at any moment).
 * Only if there are more than that besides: the oldest yes goes, then the oldest no that another no for the
 * same purpose and channel repeats, then the oldest no; so that what is forgotten makes the answer stricter
 * while it can.
 */
#ifndef AT_PROFILE_CONSENT_H
#define AT_PROFILE_CONSENT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/bytes.h"
#include "base/json.h"

#define AT_CONSENT_MAX        64
#define AT_CONSENT_NAME_MAX   64  /* bytes of a purpose or channel */
#define AT_CONSENT_TEXT_MAX   200 /* of where it was said, of the wording's version */
#define AT_CONSENT_OBJECT_MAX 32  /* purposes of one event */

struct at_profile;

struct at_consent_statement {
    struct at_text purpose, channel; /* channel "": all of them */
    uint64_t source;                 /* id of the identifier it was said through; 0: for the whole person */
    int64_t at_ms, expires_ms;       /* expires 0: never; at that moment it no longer counts */
    bool is_granted;
    bool is_confirmed;            /* of a yes: the address was proved to be theirs */
    bool is_signal;               /* the browser's Sec-GPC; a no that does not expire */
    struct at_text said, wording; /* where: "footer form"; which version of the words */
};

/* Adds a statement; list has room for AT_CONSENT_MAX + 1 and stays in one order, whatever the order of
 * calls. Returns the new count. Texts are borrowed. */
uint32_t at_consent_add(struct at_consent_statement *list, uint32_t count,
                        const struct at_consent_statement *said);
/* What that source said last for a purpose on all channels, its signal aside; NULL: nothing. */
const struct at_consent_statement *at_consent_last(const struct at_profile *profile, uint64_t source,
                                                   struct at_text purpose);
/* The signal of that source for that purpose; NULL: none. */
const struct at_consent_statement *at_consent_signal(const struct at_profile *profile, uint64_t source,
                                                     struct at_text purpose);

enum at_consent_answer { AT_CONSENT_UNKNOWN, AT_CONSENT_GRANTED, AT_CONSENT_DENIED };
const char *at_consent_word(enum at_consent_answer answer); /* "unknown" "granted" "denied" */
enum at_consent_answer at_consent_state(const struct at_profile *profile, struct at_text purpose,
                                        struct at_text channel, int64_t now_ms);

/* ---- the shop's rules ---- */
enum at_consent_rule { /* from lax to strict */
                       AT_CONSENT_OPT_OUT,
                       AT_CONSENT_OPT_IN,
                       AT_CONSENT_DOUBLE_OPT_IN, /* a yes counts only with a confirmed address */
};
const char *at_consent_rule_word(enum at_consent_rule rule);
enum at_consent_region {
    AT_REGION_EU, /* the European Economic Area, the United Kingdom, Switzerland */
    AT_REGION_US,
    AT_REGION_ELSEWHERE,
    AT_REGION_COUNT,
    AT_REGION_UNKNOWN = AT_REGION_COUNT /* the strictest of all holds */
};
/* Of a country's two letters, in either case; anything else, and nothing: unknown. */
enum at_consent_region at_consent_region(struct at_text country);

#define AT_CONSENT_PURPOSES_MAX 32
struct at_consent_purpose {
    struct at_text name;
    enum at_consent_rule rules[AT_REGION_COUNT];
    bool has_own_customers; /* who has ordered: own_customers in place of the region's */
    enum at_consent_rule own_customers;
};
struct at_consent_rules {
    bool is_declared; /* else: analytics and personalization unless denied, NAME_marketing with a yes */
    const struct at_consent_purpose *purposes;
    uint32_t purpose_count;
    const struct at_text *never_use; /* "traits.religion", "category.intimate" */
    uint32_t never_use_count;
};
bool at_consent_is_named(const struct at_consent_rules *rules, struct at_text purpose);
/* "traits" "religion" of never_use { "traits.religion" }. */
bool at_consent_never_uses(const struct at_consent_rules *rules, struct at_text group, struct at_text name);
/* May it be done? A purpose that nobody named: no. */
bool at_consent_allows(const struct at_consent_rules *rules, const struct at_profile *profile,
                       struct at_text purpose, struct at_text channel, enum at_consent_region region,
                       int64_t now_ms);

/* ---- context.consent of an event ---- */
struct at_consent_said {
    struct at_text purpose;
    bool is_granted;
};
enum at_consent_object {
    AT_CONSENT_ABSENT,
    AT_CONSENT_READ,
    AT_CONSENT_NOTHING,   /* {"categoryPreferences":{}}: a no to everything, as the SDKs mean it */
    AT_CONSENT_UNREADABLE /* not {"categoryPreferences":{name: true or false}}: counts as NOTHING */
};
/* out has room for AT_CONSENT_OBJECT_MAX. */
enum at_consent_object at_consent_object(struct at_json context, struct at_consent_said *out,
                                         uint32_t *count);

/* As JSON, in an event's facts and in a stored profile; what is "", 0 or false is left out. */
void at_consent_write(struct at_json_out *out, const struct at_consent_statement *statement);
bool at_consent_parse(struct at_json json, struct at_consent_statement *out); /* false: not one of ours */

#endif
