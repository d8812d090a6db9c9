/* SPDX-License-Identifier: Apache-2.0
 *
 * People: who an event is about, visits and whether they are recognised, consent said, what is shared by many
 * and what contradicts itself.
 */
#include "base/hash.h"
#include "measure/audit_internal.h"
#include "profile/profile.h"

#define MERGES_MANY 10

static bool is_strong(const struct at_audit *audit, struct at_text kind) {
    uint32_t place = at_identity_kind_find(&audit->rules, kind);
    return place < audit->rules.kind_count && audit->rules.kinds[place].is_strong;
}

static struct at_text person_id(uint64_t person, char room[AT_PERSON_ID_SIZE]) {
    at_person_id_format(person, room);
    return at_text_of(room);
}

/* ---- the ledger ---- */

static void count_kind(struct at_audit *audit, struct person *person, uint32_t kind, struct at_text name) {
    if (kind >= audit->rules.kind_count || person->of_kind[kind] == UINT8_MAX) return;
    const struct at_identity_kind *rule = &audit->rules.kinds[kind];
    uint8_t count = ++person->of_kind[kind];
    bool is_contact = rule->is_strong && (at_text_is(rule->name, "user_id") ||
                                          at_text_is(rule->name, "email") || at_text_is(rule->name, "phone"));
    if (is_contact && count == 2) audit_example(audit, PEOPLE_CONFLICT, name);
    if (rule->at_most > 1 && count == rule->at_most) audit_example(audit, PEOPLE_LIMIT, name);
}

void at_audit_identifier(struct at_audit *audit, const struct at_audit_identifier *row) {
    char room[AT_PERSON_ID_SIZE];
    audit->identifiers++;
    audit->wholes[OF_IDENTIFIERS]++;
    struct browser *browser = audit_put(audit, &audit->browsers, row->id, row->person, NULL);
    struct person *person = audit_put(audit, &audit->people, row->person, row->person, NULL);
    bool names_somebody = row->kind < audit->rules.kind_count && audit->rules.kinds[row->kind].is_strong;
    if (browser) {
        browser->person = row->person;
        browser->is_known = names_somebody;
    }
    if (!person) return;
    person->is_known |= names_somebody;
    if (row->kind >= audit->rules.kind_count) return;
    int64_t within_ms = audit->rules.kinds[row->kind].within_ms;
    if (within_ms && audit->options.now_ms - row->since_ms >= within_ms) return;
    count_kind(audit, person, row->kind, person_id(row->person, room));
}

void at_audit_merge(struct at_audit *audit, uint64_t survivor) {
    char room[AT_PERSON_ID_SIZE];
    struct person *person = at_sample_get(&audit->people, survivor);
    if (!person || person->merges == UINT8_MAX) return;
    if (++person->merges == MERGES_MANY) audit_example(audit, PEOPLE_MERGED, person_id(survivor, room));
}

void at_audit_unlink(struct at_audit *audit) {
    audit->tallies[IDENTIFIERS_APART].count++;
}

/* ---- who ---- */

static uint64_t named_person(const struct at_audit *audit, const struct at_event *event) {
    if (event->user_id.length) return audit_hash(SPACE_USER, event->user_id);
    for (uint32_t i = 0; i < event->identifier_count; i++)
        if (is_strong(audit, event->identifiers[i].kind))
            return audit_hash(SPACE_ADDRESS, event->identifiers[i].value);
    return 0;
}

/* Who was a stranger until now has been this person: what was noted of the stranger goes over. */
static void absorb(struct at_audit *audit, uint64_t stranger, uint64_t key) {
    struct person *old = at_sample_get(&audit->people, stranger);
    if (stranger == key || !old || old->is_absorbed || old->is_known) return;
    old->is_absorbed = true;
    struct person was = *old; /* it may move */
    struct person *person = audit_put(audit, &audit->people, key, key, NULL);
    if (!person) return;
    person->events += was.events;
    person->unsaid += was.unsaid;
    person->orders += was.orders;
    person->loose_orders += was.loose_orders;
    person->revenue += was.revenue;
    person->loose_revenue += was.loose_revenue;
    person->said |= was.said;
    person->has_visit |= was.has_visit;
}

static struct who who_by_ids(struct at_audit *audit, const struct at_event *event) {
    struct who who = {0};
    uint64_t named = named_person(audit, event);
    who.is_strong = named != 0;
    who.source = event->anonymous_id.length ? audit_hash(SPACE_VISITOR, event->anonymous_id)
                                            : audit_hash(SPACE_USER, event->user_id);
    who.browser = audit_put(audit, &audit->browsers, who.source, who.source, NULL);
    who.person = named ? named : who.browser && who.browser->person ? who.browser->person : who.source;
    if (named && event->anonymous_id.length) absorb(audit, who.source, named);
    if (who.browser) who.browser->person = who.person;
    return who;
}

struct who audit_who(struct at_audit *audit, const struct at_audit_event *row) {
    struct who who = {.source = row->source};
    if (!row->source) return row->event ? who_by_ids(audit, row->event) : who;
    who.browser = at_sample_get(&audit->browsers, row->source);
    who.person = who.browser ? who.browser->person : 0;
    for (uint32_t i = 0; row->event && i < row->event->identifier_count; i++)
        who.is_strong |= is_strong(audit, row->event->identifiers[i].kind);
    return who;
}

/* ---- visits ---- */

void browser_end_visit(struct browser *browser) {
    if (!browser->visits) return;
    if (browser->knew)
        browser->recognised++;
    else if (browser->becomes)
        browser->became++;
    else
        browser->unknown++;
}

static bool is_visit(const struct at_event *event) {
    return event->anonymous_id.length || at_text_is(event->name, "page_viewed") ||
           at_text_is(event->name, "screen_viewed");
}

static void add_to_visit(struct browser *browser, int64_t at_ms, bool names_somebody) {
    bool is_new = !browser->visits || at_ms > browser->last_ms + AT_SESSION_GAP_MS ||
                  at_ms < browser->started_ms - AT_SESSION_GAP_MS;
    if (is_new) {
        browser_end_visit(browser);
        browser->visits++;
        browser->started_ms = browser->last_ms = at_ms;
        browser->knew = browser->is_known || names_somebody;
        browser->becomes = false;
    }
    browser->becomes |= names_somebody && !browser->knew;
    browser->is_known |= names_somebody;
    if (at_ms > browser->last_ms) browser->last_ms = at_ms;
    if (at_ms < browser->started_ms) browser->started_ms = at_ms;
}

/* ---- what is said of a person ---- */

static struct at_text name_of(const struct at_audit_event *row, const struct who *who,
                              char room[AT_PERSON_ID_SIZE]) {
    if (row->source) return person_id(who->person, room);
    return row->event->user_id.length ? row->event->user_id : row->event->anonymous_id;
}

void audit_country(struct at_audit *audit, enum code code, struct person *person, struct at_text country,
                   struct at_text example) {
    if (!country.length) return;
    uint64_t hash = audit_hash(SPACE_COUNTRY, country);
    if (person->country && person->country != hash && person->flips < UINT8_MAX &&
        ++person->flips == (code == PEOPLE_COUNTRY ? 2 : 1))
        audit_example(audit, code, example);
    person->country = hash;
}

static struct at_text country_in(struct at_json traits) {
    struct at_text country = at_json_text(at_json_get(at_json_get(traits, "address"), "country"));
    return country.length ? country : at_json_text(at_json_get(traits, "country"));
}

static struct at_text country_of(const struct at_event *event) {
    struct at_text country = country_in(event->traits);
    if (!country.length) country = country_in(at_json_get(event->context, "traits"));
    if (country.length) return country;
    return at_json_text(at_json_get(at_json_get(event->context, "location"), "country"));
}

/* What changes by itself, and identifiers, contradict nothing. */
static bool is_lasting(const struct at_audit *audit, struct at_text name) {
    bool is_moment = name.length > 3 && memcmp(name.data + name.length - 3, "_at", 3) == 0;
    bool is_moment_too = name.length > 2 && memcmp(name.data + name.length - 2, "At", 2) == 0;
    return !is_moment && !is_moment_too &&
           at_identity_kind_find(&audit->rules, name) == AT_IDENTITY_KINDS_MAX;
}

static bool disagrees(struct at_audit *audit, const struct who *who, struct at_text name,
                      struct at_text value) {
    bool is_new;
    uint64_t key = at_mix64(who->person + audit_hash(SPACE_TRAIT, name));
    struct trait *trait = audit_put(audit, &audit->traits, key, who->person, &is_new);
    if (!trait) return false;
    uint64_t hash = audit_hash(SPACE_TRAIT, value);
    bool is_other = !is_new && trait->source != who->source && trait->value != hash;
    *trait = (struct trait){hash, who->source};
    return is_other;
}

static void judge_traits(struct at_audit *audit, const struct at_audit_event *row, const struct who *who,
                         struct person *person) {
    char room[AT_PERSON_ID_SIZE];
    if (row->event->type != AT_EVENT_IDENTIFY || !at_json_is_object(row->event->traits)) return;
    struct at_json_each it = at_json_each(row->event->traits);
    while (at_json_next(&it)) {
        struct at_text value = at_json_text(it.value);
        if (!value.data || !is_lasting(audit, it.key) || !disagrees(audit, who, it.key, value)) continue;
        person->has_trait_conflict = true;
        audit_example(audit, PEOPLE_TRAITS, name_of(row, who, room));
    }
}

/* Without a ledger: which addresses a person has had. */
static void count_addresses(struct at_audit *audit, const struct at_audit_event *row, const struct who *who,
                            struct person *person) {
    char room[AT_PERSON_ID_SIZE];
    for (uint32_t i = 0; i < row->event->identifier_count; i++) {
        const struct at_identifier *one = &row->event->identifiers[i];
        uint32_t kind = at_identity_kind_find(&audit->rules, one->kind);
        bool is_new;
        if (kind >= audit->rules.kind_count || audit->rules.kinds[kind].within_ms) continue;
        uint64_t key = at_mix64(who->person + at_mix64(audit_hash(SPACE_ADDRESS, one->value) + kind));
        (void)audit_put(audit, &audit->pairs, key, who->person, &is_new);
        if (is_new) count_kind(audit, person, kind, name_of(row, who, room));
    }
}

static void judge_consent(struct at_audit *audit, const struct at_audit_event *row, struct person *person) {
    uint32_t said = 0;
    for (uint32_t i = 0; i < row->purpose_count; i++) {
        uint32_t place = audit_purpose(audit, row->purposes[i]);
        if (place < AT_CONSENT_PURPOSES_MAX) said |= (uint32_t)1 << place;
    }
    person->said |= said;
    if (!row->event) return;
    person->events++;
    if (person->said) return;
    person->unsaid++;
    audit_example(audit, EVENTS_UNSAID, row->event->message_id);
}

/* ---- what is shared ---- */

static void share(struct at_audit *audit, const struct at_event *event, struct at_text id, bool is_address) {
    uint64_t key = audit_hash(is_address ? SPACE_ADDRESS : SPACE_VISITOR, id);
    uint64_t pair = at_mix64(key + at_mix64(audit_hash(SPACE_USER, event->user_id)));
    bool is_new;
    (void)audit_put(audit, &audit->pairs, pair, key, &is_new);
    if (!is_new) return;
    struct shared *shared = audit_put(audit, &audit->shared, key, key, NULL);
    if (!shared) return;
    shared->is_address = is_address;
    if (++shared->partners == (is_address ? 2 : AT_AUDIT_SHARED_MIN))
        audit_example(audit, is_address ? SHARED_ADDRESSES : SHARED_BROWSERS, event->message_id);
}

static void judge_shared(struct at_audit *audit, const struct at_event *event) {
    if (!event->user_id.length) return;
    if (event->anonymous_id.length) share(audit, event, event->anonymous_id, false);
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        struct at_text kind = event->identifiers[i].kind;
        if (at_text_is(kind, "email") || at_text_is(kind, "phone"))
            share(audit, event, event->identifiers[i].value, true);
    }
}

void audit_person(struct at_audit *audit, const struct at_audit_event *row, const struct who *who) {
    char room[AT_PERSON_ID_SIZE];
    bool visits = row->event && is_visit(row->event);
    if (who->browser && visits) add_to_visit(who->browser, row->at_ms, who->is_strong);
    if (row->event) judge_shared(audit, row->event);
    struct person *person =
        who->person ? audit_put(audit, &audit->people, who->person, who->person, NULL) : NULL;
    if (!person) return;
    judge_consent(audit, row, person);
    if (!row->event) return;
    person->is_known |= who->is_strong;
    person->has_visit |= visits;
    audit_country(audit, PEOPLE_COUNTRY, person, country_of(row->event), name_of(row, who, room));
    judge_traits(audit, row, who, person);
    if (!row->source) count_addresses(audit, row, who, person);
}
