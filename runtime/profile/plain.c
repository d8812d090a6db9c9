/* SPDX-License-Identifier: Apache-2.0
 *
 * Copies of a profile that are less: what rules may see of a person who did not agree to more, without what
 * was learned and what is history; one without the tastes the shop never uses; one that is somebody else's.
 */
#include "profile/draft.h"

struct at_profile *at_profile_plain(const struct at_profile *whole) {
    struct draft *draft = draft_begin(whole);
    if (!draft) return NULL;
    struct at_profile *p = &draft->profile;
    p->trait_moment_count = p->stated_count = 0;
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

struct at_profile *at_profile_become(const struct at_profile *base, uint64_t person,
                                     struct at_account *account) {
    struct draft *draft = draft_begin(base);
    if (!draft) return NULL;
    draft->profile.person = person;
    draft->profile.identifier_count = 0;
    return draft_finish(draft, account);
}

static bool is_unused(const struct at_consent_rules *rules, const struct at_taste *taste) {
    return at_consent_never_uses(rules, taste->facet, taste->value);
}

/* Of a trait that is never used no taste begins. */
static bool is_unused_word(const struct at_consent_rules *rules, const struct at_stated_taste *stated) {
    struct at_text trait = at_text_of(at_stated_trait(stated->is_like));
    return at_consent_never_uses(rules, stated->facet, stated->value) ||
           at_consent_never_uses(rules, AT_TEXT("traits"), trait);
}

bool at_profile_has_unused(const struct at_profile *whole, const struct at_consent_rules *rules) {
    if (!rules->never_use_count) return false;
    for (uint32_t i = 0; i < whole->taste_count; i++)
        if (is_unused(rules, &whole->tastes[i])) return true;
    for (uint32_t i = 0; i < whole->stated_count; i++)
        if (is_unused_word(rules, &whole->stated[i])) return true;
    return false;
}

struct at_profile *at_profile_without_unused(const struct at_profile *whole,
                                             const struct at_consent_rules *rules) {
    struct draft *draft = draft_begin(whole);
    if (!draft) return NULL;
    uint32_t kept = 0, kept_words = 0;
    for (uint32_t i = 0; i < whole->taste_count; i++)
        if (!is_unused(rules, &whole->tastes[i])) draft->tastes[kept++] = whole->tastes[i];
    for (uint32_t i = 0; i < whole->stated_count; i++)
        if (!is_unused_word(rules, &whole->stated[i])) draft->stated[kept_words++] = whole->stated[i];
    draft->profile.taste_count = kept;
    draft->profile.stated_count = kept_words;
    return draft_finish(draft, NULL);
}
