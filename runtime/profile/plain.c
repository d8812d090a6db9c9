/* SPDX-License-Identifier: Apache-2.0
 *
 * What rules may see of a person who did not agree to more: a copy of the profile without what was learned
 * and what is history; and one without the tastes the shop never uses.
 */
#include "profile/draft.h"

struct at_profile *at_profile_plain(const struct at_profile *whole) {
    struct draft *draft = draft_begin(whole);
    if (!draft) return NULL;
    struct at_profile *p = &draft->profile;
    p->trait_moment_count = 0;
    p->taste_count = p->product_count = p->order_count = p->awaited_count = 0;
    p->count_count = p->last_count = 0;
    p->traits = AT_TEXT("{}");
    p->acquired = (struct at_acquired){0};
    p->orders.count = 0;
    p->orders.revenue = p->orders.refunded = 0;
    p->orders.first_ms = p->orders.last_ms = 0;
    p->sessions = p->sessions > 0;
    return draft_finish(draft, NULL);
}

static bool is_unused(const struct at_consent_rules *rules, const struct at_taste *taste) {
    return at_consent_never_uses(rules, taste->facet, taste->value);
}

bool at_profile_has_unused(const struct at_profile *whole, const struct at_consent_rules *rules) {
    for (uint32_t i = 0; rules->never_use_count && i < whole->taste_count; i++)
        if (is_unused(rules, &whole->tastes[i])) return true;
    return false;
}

struct at_profile *at_profile_without_unused(const struct at_profile *whole,
                                             const struct at_consent_rules *rules) {
    struct draft *draft = draft_begin(whole);
    if (!draft) return NULL;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < whole->taste_count; i++)
        if (!is_unused(rules, &whole->tastes[i])) draft->tastes[kept++] = whole->tastes[i];
    draft->profile.taste_count = kept;
    return draft_finish(draft, NULL);
}
