/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of who is who, as shop.lua sets them: which kinds of identifiers there are, how many of each one
 * person may have, what a value looks like when it is written the one way, and which values name nobody.
 * Pure: who belongs to whom is the table's (shop/identity.c).
 */
#ifndef AT_PROFILE_IDENTITY_H
#define AT_PROFILE_IDENTITY_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/status.h"

#define AT_IDENTITY_KINDS_MAX 16
#define AT_IDENTIFIER_MAX     500 /* bytes of a value */
/* The kind that a connected Shopify shop brings: its own id of a customer. */
#define AT_SHOPIFY_CUSTOMER_KIND "shopify_customer_id"

struct at_identity_kind {
    struct at_text name;
    uint32_t at_most;  /* of this kind one person may have … */
    int64_t within_ms; /* … that came within this time; 0: ever */
    bool is_strong;    /* names a person, not a device: all but anonymous_id */
};
struct at_identity_rules {
    /* Strongest first: user_id, a source's own, email, phone, the declared ones by name, anonymous_id last.
     */
    struct at_identity_kind kinds[AT_IDENTITY_KINDS_MAX];
    uint32_t kind_count;
    struct at_text country;        /* of phone numbers without a prefix, "DE"; "" none: those name nobody */
    const struct at_text *blocked; /* the merchant's own, beside the usual; compared without case */
    uint32_t blocked_count;
    bool folds_mailboxes; /* providers that ignore dots and what is behind a plus (asked for, never by itself)
                           */
    bool proof_required;  /* prove = "required" */
};
/* user_id 1, email 5, phone 5 ever; anonymous_id 5 within 30 days. */
void at_identity_rules_default(struct at_identity_rules *rules);
/* Its place in kinds; AT_IDENTITY_KINDS_MAX: there is none. */
uint32_t at_identity_kind_find(const struct at_identity_rules *rules, struct at_text name);
/* The one way to write a value of that kind, borrowed or in the arena. Length 0: it names nobody (blocked,
 * malformed, too long, a kind there is none of). data NULL: out of memory. email: trimmed, lower case, the
 * domain as IDNA (UTS 46) puts it on the wire; phone: E.164; the others: trimmed. */
struct at_text at_identity_normal(const struct at_identity_rules *rules, struct at_text kind,
                                  struct at_text value, struct at_arena *arena);
/* A value that programs write when they mean nobody: null, undefined, 0, -1, anonymous, guest, … */
bool at_identity_is_blocked(const struct at_identity_rules *rules, struct at_text value);

#endif
