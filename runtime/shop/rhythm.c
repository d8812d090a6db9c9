/* SPDX-License-Identifier: Apache-2.0
 *
 * The shop's typical interval between purchases. Each person's mean gap stands in the row of their profile,
 * and the database counts how many have which (store/schema.c): the interval is made of those counts, so it
 * is what the profiles say, which is what the events say, in whatever order they came. Rows written by other
 * rules (before rows were counted, in another time zone, under another consent) are filled in slice by slice;
 * until that is through, the interval stays what it was. Nobody counts who does not allow personalization.
 * All of it is the back worker's, who writes every row.
 */
#include <stdlib.h>
#include <string.h>
#include "profile/rhythm.h"
#include "shop/learn.h"

#define SLICE         256
#define AGAIN_NS      2000000000ULL
#define STATE         "rhythm"
#define COUNTED_SINCE 1 /* another number: what a row is counted by is found out anew for all */

uint32_t rhythm_days(struct at_shop *shop, const struct at_profile *profile) {
    struct at_rhythm rhythm = at_rhythm_of(profile, shop->settings->zone);
    bool may_count =
        rhythm.gaps && at_consent_allows(&shop->settings->consent, profile, AT_TEXT("personalization"),
                                         AT_TEXT(""), at_consent_region(profile->country), at_shop_now(shop));
    return may_count ? at_rhythm_mean_days(rhythm) : 0;
}

/* ---- what they come to ---- */

struct counting {
    struct at_read read;
    struct at_rhythm_count counts[AT_RHYTHM_DAYS_MAX];
    size_t count;
    enum at_status status;
};

static bool take_count(void *arg, uint64_t days, uint64_t people) {
    struct counting *counting = arg;
    if (counting->count == AT_LENGTH(counting->counts)) return false;
    counting->counts[counting->count++] = (struct at_rhythm_count){(uint32_t)days, people};
    return true;
}

static void read_counts(struct at_read *read, struct at_reader *reader) {
    struct counting *counting = (struct counting *)read;
    counting->status = at_reader_rhythms(reader, take_count, counting);
}

void rhythm_refresh(struct at_shop *shop) {
    struct learner *learner = shop->learner;
    if (learner->rhythm.is_on) return;
    struct counting *counting = malloc(sizeof *counting);
    if (!counting) return; /* as it was, until the next time */
    counting->read = (struct at_read){.run = read_counts};
    counting->count = 0;
    at_store_read_now(shop->store, &counting->read);
    if (counting->status == AT_OK)
        learner->crowd_changed |=
            at_crowd_set_shop_days(learner->crowd, at_rhythm_shop_days(counting->counts, counting->count));
    free(counting);
}

/* ---- rows of before ---- */

static uint64_t says_of(const struct at_shop *shop) {
    const struct at_settings *settings = shop->settings;
    struct at_bytes rules;
    uint64_t hash = COUNTED_SINCE;
    hash = at_hash64_seed(settings->timezone, strlen(settings->timezone), hash);
    at_bytes_init(&rules, 1 << 16);
    at_settings_tell_consent(settings, &rules);
    if (!rules.failed) hash = at_hash64_seed(rules.data, rules.length, hash);
    at_bytes_clear(&rules);
    return hash;
}

struct filling {
    struct at_read read;
    struct at_shop *shop;
    struct at_json_parser *parser;
    struct at_arena arena;
    struct at_unit unit;
    uint64_t last;
    uint32_t people;
    enum at_status status;
};

static bool fill_one(void *arg, const struct at_profile_row *row) {
    struct filling *filling = arg;
    struct at_json json;
    struct at_profile *profile = NULL;
    enum at_status status =
        at_json_parse(filling->parser, row->body.data, row->body.length, false, &json, NULL);
    filling->last = row->person;
    filling->people++;
    if (status == AT_OK) status = at_profile_read(json, NULL, &profile, NULL);
    if (status == AT_INVALID) return true; /* one that cannot be read: who asks for it is told */
    struct at_write *write =
        status == AT_OK ? at_unit_write(&filling->unit, &filling->arena, AT_WRITE_RHYTHM) : NULL;
    if (write) {
        write->profile.person = row->person;
        write->profile.rhythm_days = rhythm_days(filling->shop, profile);
    }
    if (profile) at_profile_unref(profile);
    if (!write) filling->status = AT_NOMEM;
    return write != NULL;
}

static void fill_slice(struct at_read *read, struct at_reader *reader) {
    struct filling *filling = (struct filling *)read;
    enum at_status status = at_reader_profiles(reader, filling->last, SLICE, fill_one, filling);
    if (filling->status == AT_OK) filling->status = status;
}

/* How far it is stands in the unit of what was filled in. */
static enum at_status put_state(struct filling *filling, const struct rhythm_fill *fill) {
    struct at_write *write = at_unit_write(&filling->unit, &filling->arena, AT_WRITE_STATE);
    char *text =
        at_arena_printf(&filling->arena, "{\"says\":\"%016llx\",\"fills\":%s,\"after\":%llu,\"days\":%u}",
                        (unsigned long long)fill->says, fill->is_on ? "true" : "false",
                        (unsigned long long)fill->after, at_crowd_shop_days(filling->shop->learner->crowd));
    if (!write || !text) return AT_NOMEM;
    write->name = AT_TEXT(STATE);
    write->text = at_text_of(text);
    return commit_and_wait(filling->shop, &filling->unit, true);
}

bool rhythm_fill(struct at_shop *shop) {
    struct learner *learner = shop->learner;
    struct rhythm_fill *fill = &learner->rhythm, next = *fill;
    struct filling filling = {
        .read = {.run = fill_slice}, .shop = shop, .parser = learner->parser, .last = fill->after};
    if (!fill->is_on || at_ticks_ns() < fill->again_ns) return false;
    at_arena_init(&filling.arena, 64 << 20);
    at_store_read_now(shop->store, &filling.read);
    next.after = filling.last;
    next.is_on = filling.people == SLICE;
    if (filling.status == AT_OK) filling.status = put_state(&filling, &next);
    if (filling.status == AT_OK)
        *fill = next;
    else {
        fill->again_ns = at_ticks_ns() + AGAIN_NS;
        at_log(at_shop_log(shop), AT_LOG_WARN, "learn",
               "how often people buy could not be filled in (%s); it is tried again",
               at_status_word(filling.status));
    }
    at_arena_clear(&filling.arena);
    if (!fill->is_on) rhythm_refresh(shop);
    return fill->is_on && filling.status == AT_OK;
}

/* ---- start ---- */

struct opening {
    struct at_read read;
    struct learner *learner;
    enum at_status status;
};

static void read_state(struct at_read *read, struct at_reader *reader) {
    struct opening *opening = (struct opening *)read;
    struct learner *learner = opening->learner;
    struct at_arena arena;
    struct at_text text;
    struct at_json json;
    int64_t after = 0, days = 0;
    at_arena_init(&arena, 1 << 16);
    opening->status = at_reader_state(reader, AT_TEXT(STATE), &text, &arena);
    if (opening->status == AT_OK)
        opening->status = at_json_parse(learner->parser, text.data, text.length, false, &json, NULL);
    if (opening->status == AT_OK) {
        struct at_text says = at_json_text(at_json_get(json, "says"));
        char digits[17] = "";
        if (says.length == 16) memcpy(digits, says.data, 16);
        learner->rhythm.says = strtoull(digits, NULL, 16);
        at_json_bool(at_json_get(json, "fills"), &learner->rhythm.is_on);
        at_json_int(at_json_get(json, "after"), &after);
        at_json_int(at_json_get(json, "days"), &days);
        learner->rhythm.after = (uint64_t)after;
        learner->crowd_changed |= at_crowd_set_shop_days(learner->crowd, (uint32_t)days);
    }
    if (opening->status == AT_NOTFOUND) opening->status = AT_OK;
    at_arena_clear(&arena);
}

enum at_status rhythm_open(struct at_shop *shop, struct at_error *err) {
    struct rhythm_fill *fill = &shop->learner->rhythm;
    struct opening opening = {{NULL, read_state}, shop->learner, AT_OK};
    uint64_t says = says_of(shop);
    at_store_read_now(shop->store, &opening.read);
    if (opening.status != AT_OK)
        return at_fail(err, opening.status, NULL, "how often people buy could not be read (%s)",
                       at_status_word(opening.status));
    rhythm_refresh(shop); /* by the rules that they were counted by */
    if (fill->says != says) *fill = (struct rhythm_fill){.says = says, .is_on = true};
    return AT_OK;
}
