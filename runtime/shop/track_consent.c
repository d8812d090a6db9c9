/* SPDX-License-Identifier: Apache-2.0
 *
 * Consent on the way in: what an event says about it (context.consent, Sec-GPC), and what the shop's rules
 * make of the event, judged by the person's state at that moment, the event's own words included. Who may
 * not be analysed leaves a count for the day; who may not be personalized leaves events from which nothing
 * learns. On the request's worker while the person is held, but what is said.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "shop/track.h"

#define CONSENT_KEY UINT64_C(0xC05E27C05E27C05E) /* a statement has a message key of its own */

static const char unreadable[] =
    "context.consent is not like {\"categoryPreferences\":{\"analytics\":true}}: taken as a no to every "
    "purpose of shop.lua";
static const char withheld[] =
    "without consent to analytics: counted for the day, nothing else of it is kept";
static const char withheld_unreadable[] =
    "context.consent is not like {\"categoryPreferences\":{\"analytics\":true}}: taken as a no to every "
    "purpose of shop.lua; so it is counted for the day, nothing else of it is kept";

/* ---- what is said with an event ---- */

struct saying {
    struct track *track;
    struct tracked *one;
    const struct at_profile *base;
    struct at_consent_statement *list;
    uint32_t count;
    bool is_explicit; /* the event is about consent: said again is said anew */
};
#define SAID_MAX (AT_CONSENT_OBJECT_MAX + AT_CONSENT_PURPOSES_MAX + 2)

static void add(struct saying *saying, struct at_text purpose, bool is_granted, bool is_signal,
                const char *said) {
    if (saying->count == SAID_MAX) return;
    saying->list[saying->count++] = (struct at_consent_statement){.purpose = purpose,
                                                                  .channel = AT_TEXT(""),
                                                                  .source = saying->one->who.source,
                                                                  .at_ms = saying->one->event.at_ms,
                                                                  .is_granted = is_granted,
                                                                  .is_signal = is_signal,
                                                                  .said = at_text_of(said),
                                                                  .wording = AT_TEXT("")};
}

/* A word that this source said before is no news; that it was said again the fold sees in the event. */
static void say(struct saying *saying, struct at_text purpose, bool is_granted, const char *said) {
    uint64_t source = saying->one->who.source;
    const struct at_consent_statement *last = at_consent_last(saying->base, source, purpose);
    if (saying->is_explicit || !last || last->is_granted != is_granted)
        add(saying, purpose, is_granted, false, said);
    else if (saying->one->event.at_ms > last->at_ms)
        saying->one->event.consent_again = source;
}

static void say_signal(struct saying *saying, const char *name) {
    struct at_text purpose = at_text_of(name);
    const struct at_consent_statement *signal =
        at_consent_signal(saying->base, saying->one->who.source, purpose);
    if (!signal || saying->one->event.at_ms < signal->at_ms) add(saying, purpose, false, true, "Sec-GPC");
}

static void say_no_to_all(struct saying *saying, const char *said) {
    static const char *const usual[] = {"analytics", "personalization"};
    const struct at_consent_rules *rules = &saying->track->job->worker->shop->settings->consent;
    for (uint32_t i = 0; i < rules->purpose_count; i++) say(saying, rules->purposes[i].name, false, said);
    for (size_t i = 0; !rules->is_declared && i < AT_LENGTH(usual); i++)
        say(saying, at_text_of(usual[i]), false, said);
}

static void say_object(struct saying *saying) {
    struct at_consent_said object[AT_CONSENT_OBJECT_MAX];
    uint32_t count;
    switch (at_consent_object(saying->one->event.context, object, &count)) {
    case AT_CONSENT_ABSENT: return;
    case AT_CONSENT_READ:
        for (uint32_t i = 0; i < count; i++)
            say(saying, object[i].purpose, object[i].is_granted, "context.consent");
        return;
    case AT_CONSENT_NOTHING: say_no_to_all(saying, "context.consent without a category"); return;
    case AT_CONSENT_UNREADABLE:
        saying->one->notice = unreadable;
        say_no_to_all(saying, "unreadable context.consent");
        return;
    }
}

enum at_status track_consent_said(struct track *track, struct tracked *one, const struct at_profile *base) {
    struct at_job *job = track->job;
    one->said_count = 0;
    one->notice = NULL;
    one->event.consent_again = 0;
    if (one->is_conflict) return AT_OK;
    if (one->given) {
        one->said = one->given;
        one->said_count = 1;
        return AT_OK;
    }
    if (!job->has_gpc && !at_json_get(one->event.context, "consent").tape) return AT_OK;
    struct saying saying = {.track = track, .one = one, .base = base};
    saying.list = at_arena_alloc(job->arena, SAID_MAX * sizeof *saying.list);
    if (!saying.list) return AT_NOMEM;
    saying.is_explicit = at_text_is(one->event.name, "consent_updated");
    say_object(&saying);
    if (job->has_gpc) {
        say_signal(&saying, "personalization");
        say_signal(&saying, "sale");
    }
    one->said = saying.list;
    one->said_count = saying.count;
    return AT_OK;
}

/* ---- what may be done with the event ---- */

static struct at_text country_in(struct at_json traits) {
    struct at_text country = at_json_text(at_json_get(at_json_get(traits, "address"), "country"));
    return country.length ? country : at_json_text(at_json_get(traits, "country"));
}

/* As the fold will know it after this event: what was said of it, else what the profile says, else where the
 * request came from. */
static enum at_consent_region region_of(const struct at_event *event, const struct at_profile *profile) {
    bool is_identify = at_text_is(event->name, "identified");
    struct at_text said = country_in(is_identify ? event->traits : at_json_get(event->context, "traits"));
    if (!said.length) said = profile->country;
    if (!said.length) said = at_json_text(at_json_get(at_json_get(event->context, "location"), "country"));
    return at_consent_region(said);
}

void track_consent_judge(struct track *track, struct tracked *one, const struct at_profile *profile) {
    struct at_shop *shop = track->job->worker->shop;
    const struct at_consent_rules *rules = &shop->settings->consent;
    enum at_consent_region region = region_of(&one->event, profile);
    int64_t now_ms = at_shop_now(shop);
    one->is_withheld = one->event.is_unlearned = false;
    if (one->given) {
        one->answer = at_consent_state(profile, one->given->purpose, one->given->channel, now_ms);
        one->is_allowed =
            at_consent_allows(rules, profile, one->given->purpose, one->given->channel, region, now_ms);
        return;
    }
    one->is_withheld = !at_consent_allows(rules, profile, AT_TEXT("analytics"), AT_TEXT(""), region, now_ms);
    one->event.is_unlearned =
        !at_consent_allows(rules, profile, AT_TEXT("personalization"), AT_TEXT(""), region, now_ms);
    if (one->is_withheld) one->notice = one->notice ? withheld_unreadable : withheld;
}

void track_withhold(struct tracked *one, const char *notice) {
    memset(&one->who, 0, sizeof one->who);
    one->hold = NULL;
    one->said_count = 0;
    one->is_withheld = true;
    one->notice = notice;
}

bool track_consent_is_stranger(struct track *track, struct tracked *one) {
    struct at_shop *shop = track->job->worker->shop;
    if (one->is_conflict || one->given || track->job->has_gpc || shop->settings->consent.purpose_count == 0 ||
        at_json_get(one->event.context, "consent").tape)
        return false;
    if (at_consent_allows(&shop->settings->consent, shop->nobody, AT_TEXT("analytics"), AT_TEXT(""),
                          region_of(&one->event, shop->nobody), at_shop_now(shop)) ||
        identity_knows(&shop->identity, &one->event))
        return false;
    track_withhold(one, withheld);
    return true;
}

/* Of a withheld event only what says whose the statement is: nothing that is not needed for that. */
void track_consent_forget(struct tracked *one) {
    struct resolved *who = &one->who;
    uint8_t
        place[AT_EVENT_IDENTIFIERS_MAX]; /* among those that are kept; AT_EVENT_IDENTIFIERS_MAX: it goes */
    uint32_t kept = 0, links = 0;
    for (uint32_t i = 0; i < who->count; i++) {
        struct at_text kind = who->identifiers[i].identifier.kind;
        bool is_whose = who->identifiers[i].id == who->source, /* of an import perhaps an address */
            is_needed = one->said_count &&
                        (is_whose || at_text_is(kind, "anonymous_id") || at_text_is(kind, "user_id"));
        place[i] = (uint8_t)(is_needed ? kept : AT_EVENT_IDENTIFIERS_MAX);
        if (is_needed) who->identifiers[kept++] = who->identifiers[i];
    }
    for (uint32_t i = 0; i < who->link_count; i++) {
        uint8_t a = place[who->links[i][0]], b = place[who->links[i][1]];
        if (a == AT_EVENT_IDENTIFIERS_MAX || b == AT_EVENT_IDENTIFIERS_MAX) continue;
        who->links[links][0] = a;
        who->links[links++][1] = b;
    }
    who->count = kept;
    who->link_count = links;
}

/* ---- the statement as an event ---- */

uint64_t track_consent_key(const struct tracked *one) {
    uint64_t key = at_mix64(one->key ^ CONSENT_KEY);
    return key ? key : 1;
}

void track_consent_facts(const struct tracked *one, struct at_bytes *bytes) {
    struct at_json_out out = at_json_out(bytes);
    at_json_open(&out, '{');
    if (one->event.is_backfill) at_json_add_bool(&out, "backfill", true);
    at_json_key(&out, "consent");
    at_json_open(&out, '[');
    for (uint32_t i = 0; i < one->said_count; i++) at_consent_write(&out, &one->said[i]);
    at_json_close(&out, ']');
    at_json_close(&out, '}');
}

static void put_statement(struct at_json_out *out, const struct tracked *one,
                          const struct at_consent_statement *said) {
    at_json_open(out, '{');
    at_json_add_text(out, "purpose", said->purpose);
    at_json_add_string(out, "status", said->is_granted ? "granted" : "denied");
    if (said->channel.length) at_json_add_text(out, "channel", said->channel);
    at_json_add_text(out, "source", said->said);
    at_json_add_moment(out, "at", said->at_ms);
    at_json_add_moment(out, "expires_at", said->expires_ms);
    if (said->wording.length) at_json_add_text(out, "wording", said->wording);
    if (said->is_signal) at_json_add_bool(out, "gpc", true);
    if (one->proof.tape) {
        at_json_key(out, "proof");
        at_json_put_value(out, one->proof);
    }
    at_json_close(out, '}');
}

void track_consent_body(const struct tracked *one, struct at_bytes *bytes) {
    const struct at_event *event = &one->event;
    struct at_json_out out = at_json_out(bytes);
    bool is_named = at_text_is(event->name, "consent_updated");
    at_json_open(&out, '{');
    at_json_add_string(&out, "type", "track");
    at_json_add_text(&out, "event", is_named ? event->event : AT_TEXT("Consent Updated"));
    at_json_key(&out, "properties");
    if (one->said_count == 1)
        put_statement(&out, one, one->said);
    else {
        at_json_open(&out, '{');
        at_json_key(&out, "statements");
        at_json_open(&out, '[');
        for (uint32_t i = 0; i < one->said_count; i++) put_statement(&out, one, &one->said[i]);
        at_json_close(&out, ']');
        at_json_close(&out, '}');
    }
    at_json_add_time(&out, "receivedAt", event->received_ms);
    at_json_close(&out, '}');
}

/* ---- counted ---- */

/* A purpose that shop.lua does not name is recorded and never asked for: told of once, and of 64 at most. */
static void tell_unnamed(struct at_shop *shop, struct at_text purpose) {
    if (at_consent_is_named(&shop->settings->consent, purpose) || at_text_is(purpose, "sale")) return;
    count_add(shop, COUNT_CONSENT_UNNAMED, 1);
    if (!told_first(shop->told_purposes, at_hash64(purpose.data, purpose.length))) return;
    at_log(
        at_shop_log(shop), AT_LOG_WARN, "consent",
        "consent to \"%.*s\" is recorded, but no rule asks for it: name it in the consent block of shop.lua "
        "if one should",
        (int)purpose.length, purpose.data);
}

void track_consent_count(struct at_shop *shop, const struct tracked *one) {
    for (uint32_t i = 0; i < one->said_count; i++) tell_unnamed(shop, one->said[i].purpose);
    if (one->said_count) count_add(shop, COUNT_CONSENT_STATEMENTS, one->said_count);
    if (one->notice == unreadable || one->notice == withheld_unreadable)
        count_add(shop, COUNT_CONSENT_UNREADABLE, 1);
    if (!one->is_withheld && one->event.is_unlearned) count_add(shop, COUNT_EVENTS_UNLEARNED, 1);
}

/* ---- the day's count of what was withheld: day << 40 | count ---- */

#define DAY_SHIFT  40
#define COUNT_MASK ((UINT64_C(1) << DAY_SHIFT) - 1)

static uint64_t day_of(struct at_shop *shop) {
    return (uint64_t)(at_shop_now(shop) / AT_DAY_MS);
}

static void name_day(uint64_t day, char out[40]) {
    char time[AT_TIME_SIZE];
    at_time_format((int64_t)day * AT_DAY_MS, time);
    snprintf(out, 40, "withheld %.10s", time);
}

uint64_t withheld_today(struct at_shop *shop) {
    uint64_t value = atomic_load(&shop->withheld);
    return value >> DAY_SHIFT == day_of(shop) ? value & COUNT_MASK : 0;
}

static uint64_t withheld_add(struct at_shop *shop, uint64_t day, uint32_t count) {
    uint64_t old = atomic_load(&shop->withheld), new;
    do new = (old >> DAY_SHIFT == day ? old : day << DAY_SHIFT) + count;
    while (!atomic_compare_exchange_weak(&shop->withheld, &old, new));
    return new &COUNT_MASK;
}

/* Its text is filled when the unit has its place, so that what is written last is the most. */
enum at_status withheld_write(struct track *track) {
    struct at_write *write = at_unit_write(&track->unit, track->job->arena, AT_WRITE_STATE);
    char *name = at_arena_alloc(track->job->arena, 40), *text = at_arena_alloc(track->job->arena, 24);
    if (!write || !name || !text) return AT_NOMEM;
    track->withheld_day = day_of(track->job->worker->shop);
    name_day(track->withheld_day, name);
    write->name = at_text_of(name);
    track->withheld_write = write;
    track->withheld_text = text;
    return AT_OK;
}

void withheld_place(struct track *track) {
    uint64_t count = withheld_add(track->job->worker->shop, track->withheld_day, track->withheld);
    snprintf(track->withheld_text, 24, "%llu", (unsigned long long)count);
    track->withheld_write->text = at_text_of(track->withheld_text);
}

void withheld_take_back(struct track *track) {
    struct at_shop *shop = track->job->worker->shop;
    uint64_t old = atomic_load(&shop->withheld);
    while (old >> DAY_SHIFT == track->withheld_day && (old & COUNT_MASK) >= track->withheld &&
           !atomic_compare_exchange_weak(&shop->withheld, &old, old - track->withheld)) {}
}

struct withheld_read {
    struct at_read read; /* first */
    struct at_shop *shop;
};

static void read_withheld(struct at_read *read, struct at_reader *reader) {
    struct at_shop *shop = ((struct withheld_read *)read)->shop;
    struct at_arena arena;
    struct at_text text;
    char name[40], number[24] = "";
    uint64_t day = day_of(shop);
    at_arena_init(&arena, 4096);
    name_day(day, name);
    if (at_reader_state(reader, at_text_of(name), &text, &arena) == AT_OK && text.length < sizeof number) {
        memcpy(number, text.data, text.length);
        withheld_add(shop, day, (uint32_t)strtoul(number, NULL, 10));
    }
    at_arena_clear(&arena);
}

void withheld_open(struct at_shop *shop) {
    struct withheld_read read = {{NULL, read_withheld}, shop};
    at_store_read_now(shop->store, &read.read);
}
