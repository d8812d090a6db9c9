/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements kept, what they come to, and what the shop's rules make of that.
 */
#include "profile/consent.h"

#include <string.h>
#include "profile/names.h"
#include "profile/profile.h"

/* ---- which statement counts more ---- */

static int compare_numbers(int64_t a, int64_t b) {
    return a < b ? -1 : a > b;
}
/* Of one moment: a no over a confirmed yes over a yes. */
static int rank_of(const struct at_consent_statement *said) {
    return !said->is_granted ? 2 : said->is_confirmed;
}
static int64_t end_of(const struct at_consent_statement *said) {
    return said->expires_ms ? said->expires_ms : INT64_MAX;
}

static int compare_keys(const struct at_consent_statement *a, const struct at_consent_statement *b) {
    int order = at_text_order(a->purpose, b->purpose);
    if (!order) order = at_text_order(a->channel, b->channel);
    if (!order) order = a->source < b->source ? -1 : a->source > b->source;
    return order ? order : a->is_signal - b->is_signal;
}

static int compare_moments(const struct at_consent_statement *a, const struct at_consent_statement *b) {
    int order = compare_numbers(a->at_ms, b->at_ms);
    return order ? order : rank_of(a) - rank_of(b);
}

static int compare(const struct at_consent_statement *a, const struct at_consent_statement *b) {
    int order = compare_keys(a, b);
    if (!order) order = compare_moments(a, b);
    if (!order) order = compare_numbers(end_of(a), end_of(b));
    if (!order) order = at_text_order(a->said, b->said);
    return order ? order : at_text_order(a->wording, b->wording);
}

/* Whether with the one the other changes no answer at any moment. A yes that is not confirmed takes neither a
 * no nor a confirmed yes away: whether the address is still confirmed depends on them. */
static bool supersedes(const struct at_consent_statement *one, const struct at_consent_statement *other) {
    if (compare_keys(one, other) != 0) return false;
    if (one->is_signal) return compare(one, other) <= 0; /* its first sight counts */
    if (compare(one, other) < 0) return false;
    bool is_weak = one->is_granted && !one->is_confirmed;
    return end_of(one) >= end_of(other) && !(is_weak && rank_of(other) > 0);
}

static void take_out(struct at_consent_statement *list, uint32_t *count, uint32_t at) {
    memmove(&list[at], &list[at + 1], (--*count - at) * sizeof *list);
}

/* A no with the same effect as long as nobody takes it back. */
static bool is_repeated(const struct at_consent_statement *list, uint32_t count, uint32_t at) {
    for (uint32_t i = 0; i < count; i++)
        if (i != at && !list[i].is_granted && end_of(&list[i]) >= end_of(&list[at]) &&
            at_text_equal(list[i].purpose, list[at].purpose) &&
            at_text_equal(list[i].channel, list[at].channel))
            return true;
    return false;
}

/* One has to go: see the header. */
static uint32_t least_needed(const struct at_consent_statement *list, uint32_t count) {
    uint32_t least = 0;
    int least_class = 3;
    for (uint32_t i = 0; i < count; i++) {
        int class = list[i].is_granted ? 0 : is_repeated(list, count, i) ? 1 : 2;
        if (class > least_class || (class == least_class && list[i].at_ms >= list[least].at_ms)) continue;
        least = i;
        least_class = class;
    }
    return least;
}

uint32_t at_consent_add(struct at_consent_statement *list, uint32_t count,
                        const struct at_consent_statement *said) {
    uint32_t place = 0;
    for (uint32_t i = 0; i < count; i++)
        if (supersedes(&list[i], said)) return count;
    for (uint32_t i = count; i-- > 0;)
        if (supersedes(said, &list[i])) take_out(list, &count, i);
    while (place < count && compare(&list[place], said) < 0) place++;
    memmove(&list[place + 1], &list[place], (count - place) * sizeof *list);
    list[place] = *said;
    if (++count > AT_CONSENT_MAX) take_out(list, &count, least_needed(list, count));
    return count;
}

const struct at_consent_statement *at_consent_last(const struct at_profile *profile, uint64_t source,
                                                   struct at_text purpose) {
    const struct at_consent_statement *last = NULL;
    for (uint32_t i = 0; i < profile->consent_count; i++) {
        const struct at_consent_statement *one = &profile->consents[i];
        if (one->source == source && !one->is_signal && !one->channel.length &&
            at_text_equal(one->purpose, purpose) && (!last || compare_moments(one, last) > 0))
            last = one;
    }
    return last;
}

const struct at_consent_statement *at_consent_signal(const struct at_profile *profile, uint64_t source,
                                                     struct at_text purpose) {
    for (uint32_t i = 0; i < profile->consent_count; i++)
        if (profile->consents[i].source == source && profile->consents[i].is_signal &&
            at_text_equal(profile->consents[i].purpose, purpose))
            return &profile->consents[i];
    return NULL;
}

/* ---- the state ---- */

struct asking {
    const struct at_profile *profile;
    struct at_text purpose, channel;
    int64_t now_ms;
    bool is_confirmed; /* out: somebody's yes is confirmed, and no no came after */
};

static bool is_asked(const struct asking *asking, const struct at_consent_statement *said) {
    return at_text_equal(said->purpose, asking->purpose) &&
           (!said->channel.length || at_text_equal(said->channel, asking->channel)) &&
           asking->now_ms < end_of(said);
}

static enum at_consent_answer state_of_source(struct asking *asking, uint64_t source) {
    const struct at_consent_statement *last = NULL, *confirmed = NULL, *denied = NULL;
    for (uint32_t i = 0; i < asking->profile->consent_count; i++) {
        const struct at_consent_statement *one = &asking->profile->consents[i];
        if ((one->source && one->source != source) || !is_asked(asking, one)) continue;
        if (!last || compare_moments(one, last) > 0) last = one;
        if (!one->is_granted && (!denied || one->at_ms > denied->at_ms)) denied = one;
        if (one->is_granted && one->is_confirmed && (!confirmed || one->at_ms > confirmed->at_ms))
            confirmed = one;
    }
    if (!last) return AT_CONSENT_UNKNOWN;
    if (!last->is_granted) return AT_CONSENT_DENIED;
    asking->is_confirmed |= confirmed && (!denied || confirmed->at_ms > denied->at_ms);
    return AT_CONSENT_GRANTED;
}

static enum at_consent_answer stricter(enum at_consent_answer a, enum at_consent_answer b) {
    return a > b ? a : b; /* unknown, granted, denied */
}

static enum at_consent_answer state_on_channel(struct asking *asking) {
    enum at_consent_answer answer = AT_CONSENT_UNKNOWN;
    bool has_source = false;
    for (uint32_t i = 0; i < asking->profile->consent_count; i++) {
        const struct at_consent_statement *one = &asking->profile->consents[i];
        if (!one->source || !is_asked(asking, one)) continue;
        has_source = true;
        answer = stricter(answer, state_of_source(asking, one->source));
    }
    return has_source ? answer : state_of_source(asking, 0);
}

/* Without a channel: all of them. Statements of a channel stand together. */
static enum at_consent_answer state_of(struct asking *asking) {
    if (asking->channel.length) return state_on_channel(asking);
    enum at_consent_answer answer = state_on_channel(asking);
    const struct at_consent_statement *before = NULL;
    for (uint32_t i = 0; i < asking->profile->consent_count; i++) {
        const struct at_consent_statement *one = &asking->profile->consents[i];
        if (!one->channel.length || !at_text_equal(one->purpose, asking->purpose)) continue;
        if (before && at_text_equal(before->channel, one->channel)) continue;
        before = one;
        asking->channel = one->channel;
        answer = stricter(answer, state_on_channel(asking));
    }
    return answer;
}

enum at_consent_answer at_consent_state(const struct at_profile *profile, struct at_text purpose,
                                        struct at_text channel, int64_t now_ms) {
    struct asking asking = {profile, purpose, channel, now_ms, false};
    return state_of(&asking);
}

const char *at_consent_word(enum at_consent_answer answer) {
    return answer == AT_CONSENT_GRANTED ? "granted" : answer == AT_CONSENT_DENIED ? "denied" : "unknown";
}

/* ---- rules ---- */

const char *at_consent_rule_word(enum at_consent_rule rule) {
    return rule == AT_CONSENT_OPT_OUT ? "opt-out" : rule == AT_CONSENT_OPT_IN ? "opt-in" : "double opt-in";
}

enum at_consent_region at_consent_region(struct at_text country) {
    static const char area[] =
        "AT BE BG CH CY CZ DE DK EE EL ES FI FR GB GR HR HU IE IS IT LI LT LU LV MT NL "
        "NO PL PT RO SE SI SK UK";
    if (country.length != 2) return AT_REGION_UNKNOWN;
    char a = to_lower(country.data[0]), b = to_lower(country.data[1]);
    if (!is_lower(a) || !is_lower(b)) return AT_REGION_UNKNOWN;
    if (a == 'u' && b == 's') return AT_REGION_US;
    for (size_t i = 0; i + 1 < sizeof area; i += 3)
        if (to_lower(area[i]) == a && to_lower(area[i + 1]) == b) return AT_REGION_EU;
    return AT_REGION_ELSEWHERE;
}

static const struct at_consent_purpose *purpose_of(const struct at_consent_rules *rules,
                                                   struct at_text name) {
    for (uint32_t i = 0; i < rules->purpose_count; i++)
        if (at_text_equal(rules->purposes[i].name, name)) return &rules->purposes[i];
    return NULL;
}

static bool is_usual(struct at_text purpose) {
    return at_text_is(purpose, "analytics") || at_text_is(purpose, "personalization");
}
static bool is_marketing(struct at_text purpose) {
    static const char end[] = "_marketing";
    size_t length = sizeof end - 1;
    return purpose.length > length && memcmp(purpose.data + purpose.length - length, end, length) == 0;
}

bool at_consent_is_named(const struct at_consent_rules *rules, struct at_text purpose) {
    return rules->is_declared ? purpose_of(rules, purpose) != NULL
                              : is_usual(purpose) || is_marketing(purpose);
}

bool at_consent_never_uses(const struct at_consent_rules *rules, struct at_text group, struct at_text name) {
    for (uint32_t i = 0; i < rules->never_use_count; i++) {
        struct at_text one = rules->never_use[i];
        if (one.length == group.length + 1 + name.length && one.data[group.length] == '.' &&
            memcmp(one.data, group.data, group.length) == 0 &&
            memcmp(one.data + group.length + 1, name.data, name.length) == 0)
            return true;
    }
    return false;
}

/* False: nobody named that purpose. */
static bool rule_for(const struct at_consent_rules *rules, const struct at_profile *profile,
                     struct at_text name, enum at_consent_region region, enum at_consent_rule *out) {
    if (!rules->is_declared) {
        *out = is_usual(name) ? AT_CONSENT_OPT_OUT : AT_CONSENT_OPT_IN;
        return is_usual(name) || is_marketing(name);
    }
    const struct at_consent_purpose *purpose = purpose_of(rules, name);
    if (!purpose) return false;
    *out = AT_CONSENT_OPT_OUT;
    for (int i = 0; i < AT_REGION_COUNT; i++) {
        bool holds = region == AT_REGION_UNKNOWN || (int)region == i;
        if (holds && purpose->rules[i] > *out) *out = purpose->rules[i];
    }
    if (purpose->has_own_customers && profile->orders.count) *out = purpose->own_customers;
    return true;
}

bool at_consent_allows(const struct at_consent_rules *rules, const struct at_profile *profile,
                       struct at_text purpose, struct at_text channel, enum at_consent_region region,
                       int64_t now_ms) {
    enum at_consent_rule rule;
    struct asking asking = {profile, purpose, channel, now_ms, false};
    if (!rule_for(rules, profile, purpose, region, &rule)) return false;
    enum at_consent_answer answer = state_of(&asking);
    if (answer == AT_CONSENT_DENIED) return false;
    if (rule == AT_CONSENT_OPT_OUT) return true;
    return answer == AT_CONSENT_GRANTED && (rule == AT_CONSENT_OPT_IN || asking.is_confirmed);
}
