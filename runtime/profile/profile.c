/* SPDX-License-Identifier: Apache-2.0
 *
 * Snapshots: life and questions.
 */
#include "profile/profile.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "profile/draft.h"

struct at_profile *at_profile_new(uint64_t person, struct at_account *account) {
    struct block *block = calloc(1, sizeof *block);
    if (!block) return NULL;
    struct at_profile *p = &block->profile;
    atomic_init(&p->refs, 1);
    p->bytes = sizeof *block;
    p->account = account;
    p->person = person;
    p->traits = AT_TEXT("{}");
    p->timezone = p->locale = p->country = p->basket_url = AT_TEXT("");
    struct at_text *const texts[] = {&p->visit.source,     &p->visit.campaign,    &p->visit.medium,
                                     &p->visit.landing,    &p->visit.device,      &p->visit.referrer,
                                     &p->acquired.source,  &p->acquired.campaign, &p->acquired.medium,
                                     &p->acquired.landing, &p->acquired.device,   &p->acquired.referrer};
    for (size_t i = 0; i < AT_LENGTH(texts); i++) *texts[i] = AT_TEXT("");
    /* Empty lists are lists all the same: nobody needs to ask. */
    p->order_list = (const struct at_order *)block;
    p->awaited = (const struct at_order *)block;
    p->basket = (const struct at_basket_line *)block;
    p->tastes = (const struct at_taste *)block;
    p->products = (const struct at_met_product *)block;
    p->counts = (const struct at_event_count *)block;
    p->lasts = (const struct at_last_event *)block;
    p->identifiers = (const struct at_known_identifier *)block;
    p->consents = (const struct at_consent_statement *)block;
    p->trait_moments = (const struct at_trait_moment *)block;
    p->stated = (const struct at_stated_taste *)block;
    block->buckets = (const struct buckets *)block;
    if (account) at_account_force(account, p->bytes);
    return p;
}

struct at_profile *at_profile_ref(struct at_profile *profile) {
    atomic_fetch_add_explicit(&profile->refs, 1, memory_order_relaxed);
    return profile;
}

void at_profile_unref(struct at_profile *profile) {
    if (atomic_fetch_sub_explicit(&profile->refs, 1, memory_order_acq_rel) != 1) return;
    if (profile->account) at_account_give(profile->account, profile->bytes);
    free(profile);
}

const struct at_event_count *at_profile_counted(const struct at_profile *profile, struct at_text name) {
    for (uint32_t i = 0; i < profile->count_count; i++)
        if (at_text_equal(profile->counts[i].name, name)) return &profile->counts[i];
    return NULL;
}

const struct at_met_product *at_profile_met(const struct at_profile *profile, struct at_text product) {
    for (uint32_t i = 0; i < profile->product_count; i++)
        if (at_text_equal(profile->products[i].product, product)) return &profile->products[i];
    return NULL;
}

/* A bucket counts if it begins after the window's begin: exact to the bucket. */
static uint64_t sum_after(const struct bucket *buckets, uint32_t count, int64_t size, int64_t from_ms,
                          int64_t to_ms) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t begins = buckets[i].unit * size;
        if (begins + size > from_ms + 1 && begins <= to_ms && begins + size / 2 > from_ms)
            sum += buckets[i].count;
    }
    return sum;
}

uint64_t at_profile_count(const struct at_profile *profile, struct at_text name, int64_t within_ms,
                          int64_t now_ms) {
    const struct at_event_count *counted = at_profile_counted(profile, name);
    if (!counted) return 0;
    const struct buckets *buckets = &block_of(profile)->buckets[counted - profile->counts];
    int64_t from_ms = now_ms - within_ms;
    bool is_past = now_ms >= counted->last_ms;
    if (is_past && from_ms >= counted->last_ms) return 0;
    if (is_past && from_ms < counted->first_ms) return counted->total;
    uint64_t sum = within_ms <= 2 * AT_DAY_MS
                       ? sum_after(buckets->hours, buckets->hour_count, AT_HOUR_MS, from_ms, now_ms)
                       : sum_after(buckets->days, buckets->day_count, AT_DAY_MS, from_ms, now_ms);
    return is_past && !sum ? 1 : sum; /* the last one is surely in it */
}

double at_basket_value(const struct at_profile *profile) {
    double value = 0;
    for (uint32_t i = 0; i < profile->basket_count; i++)
        if (!at_is_missing(profile->basket[i].price))
            value += profile->basket[i].price * profile->basket[i].quantity;
    return value;
}

/* ---- ids shown outside: a bijection, so that they do not count people ---- */

static const char DIGITS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static uint64_t unshift(uint64_t x, int n) {
    uint64_t y = x;
    for (int done = n; done < 64; done += n) y = x ^ (y >> n);
    return y;
}

/* The inverse of splitmix64's finaliser (constants: multiplicative inverses of its own modulo 2^64). */
static uint64_t unmix(uint64_t x) {
    x = unshift(x, 31) * 0x319642b2d24d8ec3ULL;
    x = unshift(x, 27) * 0x96de1b173f119089ULL;
    return unshift(x, 30);
}

void at_person_id_format(uint64_t person, char out[AT_PERSON_ID_SIZE]) {
    uint64_t mixed = at_mix64(person);
    out[0] = 'p';
    for (int i = 11; i >= 1; i--) {
        out[i] = DIGITS[mixed % 62];
        mixed /= 62;
    }
    out[12] = 0;
}

bool at_person_id_parse(struct at_text text, uint64_t *person) {
    uint64_t mixed = 0;
    if (text.length != 12 || text.data[0] != 'p') return false;
    for (size_t i = 1; i < 12; i++) {
        const char *digit = text.data[i] ? strchr(DIGITS, text.data[i]) : NULL;
        if (!digit || __builtin_mul_overflow(mixed, 62, &mixed) ||
            __builtin_add_overflow(mixed, (uint64_t)(digit - DIGITS), &mixed))
            return false;
    }
    *person = unmix(mixed);
    return at_mix64(*person) == mixed;
}

static bool is_known(const struct at_profile *profile) {
    for (uint32_t i = 0; i < profile->identifier_count; i++)
        if (!at_text_is(profile->identifiers[i].kind, "anonymous_id")) return true;
    return false;
}

uint64_t at_profile_survivor(const struct at_profile *a, const struct at_profile *b) {
    if (is_known(a) != is_known(b)) return is_known(a) ? a->person : b->person;
    if (!a->first_seen_ms != !b->first_seen_ms) return a->first_seen_ms ? a->person : b->person;
    if (a->first_seen_ms != b->first_seen_ms)
        return a->first_seen_ms < b->first_seen_ms ? a->person : b->person;
    return a->person < b->person ? a->person : b->person;
}
