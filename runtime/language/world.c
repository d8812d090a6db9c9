/* SPDX-License-Identifier: Apache-2.0
 *
 * The people, the events and the clock of a test's world. An event is parsed, judged by the shop's consent
 * rules, given its facts and folded as a shop does it, with the same functions of profile/; only who is who
 * is simpler: an identifier belongs to one person, an event that names two people makes them one unless both
 * have an account, and no limit of shop.lua's identity is asked.
 */
#include "language/world.h"

#include <stdlib.h>
#include <string.h>
#include "base/hash.h"

/* ---- life ---- */

enum at_status world_open(struct at_world *world, struct test_run *run) {
    memset(world, 0, sizeof *world);
    world->run = run;
    world->customer = WORLD_NOBODY;
    world->events_end = &world->events;
    at_arena_init(&world->arena, (size_t)64 << 20);
    at_arena_init(&world->asking, (size_t)64 << 20);
    at_map_init(&world->identifiers);
    at_map_init(&world->claims);
    at_map_init(&world->messages);
    at_bytes_init(&world->text, WORLD_TEXT_MAX);
    at_bytes_init(&world->facts, (size_t)8 << 20);
    world->value_parser = at_json_parser_new(WORLD_TEXT_MAX, 64);
    world->event_parser = at_json_parser_new(WORLD_TEXT_MAX, 64);
    world->facts_parser = at_json_parser_new((size_t)8 << 20, 64);
    world->crowd = at_crowd_new();
    return world->value_parser && world->event_parser && world->facts_parser && world->crowd ? AT_OK
                                                                                             : AT_NOMEM;
}

static void free_parsers(struct at_world *world) {
    struct at_json_parser *parsers[] = {world->value_parser, world->event_parser, world->facts_parser};
    for (size_t i = 0; i < AT_LENGTH(parsers); i++)
        if (parsers[i]) at_json_parser_free(parsers[i]);
}

void world_close(struct at_world *world) {
    for (uint32_t i = 0; i < world->person_count; i++)
        if (world->people[i].profile) at_profile_unref(world->people[i].profile);
    free(world->people);
    if (world->seen) at_profile_unref(world->seen);
    if (world->asked) at_profile_unref(world->asked);
    if (world->baseline) at_baseline_unref(world->baseline);
    at_crowd_free(world->crowd);
    if (world->root) at_root_unref(world->root);
    if (world->catalog) at_catalog_free(world->catalog);
    at_map_clear(&world->identifiers);
    at_map_clear(&world->claims);
    at_map_clear(&world->messages);
    at_bytes_clear(&world->text);
    at_bytes_clear(&world->facts);
    free_parsers(world);
    at_arena_clear(&world->arena);
    at_arena_clear(&world->asking);
}

static const struct at_consent_rules *consent_of(const struct at_world *world) {
    static const struct at_consent_rules none = {0};
    return world->run->options->settings ? &world->run->options->settings->consent : &none;
}

static const struct at_identity_rules *identity_of(const struct at_world *world) {
    return world->run->options->settings ? &world->run->options->settings->identity : NULL;
}

/* ---- people ---- */

enum at_status world_add_person(struct at_world *world, uint32_t *out) {
    if (world->person_count == WORLD_PEOPLE_MAX) return AT_TOOBIG;
    if (world->person_count == world->person_capacity) {
        uint32_t capacity = world->person_capacity ? 2 * world->person_capacity : 16;
        struct world_person *people = realloc(world->people, capacity * sizeof *people);
        if (!people) return AT_NOMEM;
        world->people = people;
        world->person_capacity = capacity;
    }
    struct at_profile *profile = at_profile_new(world->person_count + 1, NULL);
    if (!profile) return AT_NOMEM;
    *out = world->person_count++;
    world->people[*out] = (struct world_person){profile, *out};
    return AT_OK;
}

static uint32_t alive(const struct at_world *world, uint32_t person) {
    while (person != WORLD_NOBODY && world->people[person].into != person)
        person = world->people[person].into;
    return person;
}

uint32_t world_customer(const struct at_world *world) {
    return alive(world, world->customer);
}

#define IDENTIFIER_KEY_MAX (AT_IDENTIFIER_MAX + 100)
static size_t key_of(struct at_text kind, struct at_text value, char out[IDENTIFIER_KEY_MAX]) {
    return (size_t)snprintf(out, IDENTIFIER_KEY_MAX, "%.*s %.*s", (int)kind.length, kind.data,
                            (int)value.length, value.data);
}

uint32_t world_find(const struct at_world *world, struct at_text kind, struct at_text value) {
    char key[IDENTIFIER_KEY_MAX];
    if (kind.length + value.length + 2 > sizeof key) return WORLD_NOBODY; /* a test may ask for anything */
    const uint64_t *found = at_map_get(&world->identifiers, key, key_of(kind, value, key));
    return found ? alive(world, (uint32_t)*found - 1) : WORLD_NOBODY;
}

static struct at_text account_of(const struct at_profile *profile) {
    for (uint32_t i = 0; i < profile->identifier_count; i++)
        if (at_text_is(profile->identifiers[i].kind, "user_id")) return profile->identifiers[i].value;
    return AT_TEXT("");
}

static void replace(struct at_world *world, uint32_t person, struct at_profile *profile) {
    at_profile_unref(world->people[person].profile);
    world->people[person].profile = profile;
}

static enum at_status parse_logged(struct at_world *world, const struct world_event *event,
                                   struct at_logged_event *logged) {
    *logged = (struct at_logged_event){.seq = event->seq,
                                       .at_ms = event->at_ms,
                                       .received_ms = event->at_ms,
                                       .name = event->name,
                                       .message_id = event->message_id};
    enum at_status status =
        at_json_parse(world->event_parser, event->body.data, event->body.length, true, &logged->body, NULL);
    if (status == AT_OK)
        status = at_json_parse(world->facts_parser, event->facts.data, event->facts.length, true,
                               &logged->facts, NULL);
    return status == AT_OK ? AT_OK : AT_NOMEM;
}

static enum at_status fold(struct at_world *world, uint32_t person, const struct at_logged_event *logged) {
    struct at_profile *next = at_profile_apply(world->people[person].profile, logged, false);
    if (!next) return AT_NOMEM;
    replace(world, person, next);
    return AT_OK;
}

static enum at_status know(struct at_world *world, uint32_t person, const struct at_identifier *identifier,
                           int64_t since_ms) {
    char key[IDENTIFIER_KEY_MAX];
    uint64_t *place =
        at_map_put(&world->identifiers, key, key_of(identifier->kind, identifier->value, key), NULL);
    struct at_profile *next =
        place ? at_profile_with_identifier(world->people[person].profile, identifier, since_ms, false) : NULL;
    if (!next) return AT_NOMEM;
    *place = person + 1;
    replace(world, person, next);
    return AT_OK;
}

/* Two are one: both pasts are folded anew, in the order of the log. */
static enum at_status join(struct at_world *world, uint32_t a, uint32_t b, uint32_t *survivor) {
    struct at_profile *one = world->people[a].profile, *other = world->people[b].profile;
    uint32_t kept = at_profile_survivor(one, other) == one->person ? a : b, gone = kept == a ? b : a;
    struct at_profile *fresh = at_profile_new(kept + 1, NULL), *parts[] = {one, other};
    enum at_status status = fresh ? AT_OK : AT_NOMEM;
    for (int part = 0; part < 2; part++)
        for (uint32_t i = 0; fresh && i < parts[part]->identifier_count; i++) {
            const struct at_known_identifier *known = &parts[part]->identifiers[i];
            struct at_identifier identifier = {known->kind, known->value};
            fresh = at_profile_with_identifier(fresh, &identifier, known->since_ms, true);
        }
    if (!fresh) return AT_NOMEM;
    replace(world, kept, fresh);
    world->people[gone].into = kept;
    for (const struct world_event *event = world->events; event && status == AT_OK; event = event->next) {
        struct at_logged_event logged;
        if (alive(world, event->person) != kept) continue;
        status = parse_logged(world, event, &logged);
        if (status == AT_OK) status = fold(world, kept, &logged);
    }
    *survivor = kept;
    return status;
}

/* Who has an account is nobody else's. */
static bool is_other_account(struct at_text account, const struct at_profile *profile) {
    struct at_text other = account_of(profile);
    return account.length && other.length && !at_text_equal(account, other);
}

/* By the strongest identifier that is known; the event joins what it names together. */
static enum at_status resolve(struct at_world *world, const struct at_event *event, uint32_t *person) {
    const struct at_identity_rules *rules = identity_of(world);
    struct at_identity_rules usual;
    struct at_text account = event->user_id;
    if (!rules) {
        at_identity_rules_default(&usual);
        rules = &usual;
    }
    for (uint32_t kind = 0; kind < rules->kind_count; kind++)
        for (uint32_t i = 0; i < event->identifier_count; i++) {
            if (!at_text_equal(event->identifiers[i].kind, rules->kinds[kind].name)) continue;
            uint32_t known = world_find(world, event->identifiers[i].kind, event->identifiers[i].value);
            if (known == WORLD_NOBODY || known == *person ||
                is_other_account(account, world->people[known].profile))
                continue;
            enum at_status status = AT_OK;
            if (*person == WORLD_NOBODY)
                *person = known;
            else if (!is_other_account(account_of(world->people[*person].profile),
                                       world->people[known].profile))
                status = join(world, *person, known, person);
            if (status != AT_OK) return status;
        }
    return *person == WORLD_NOBODY ? world_add_person(world, person) : AT_OK;
}

static enum at_status know_all(struct at_world *world, uint32_t person, const struct at_event *event) {
    enum at_status status = AT_OK;
    for (uint32_t i = 0; i < event->identifier_count && status == AT_OK; i++)
        if (world_find(world, event->identifiers[i].kind, event->identifiers[i].value) == WORLD_NOBODY)
            status = know(world, person, &event->identifiers[i], event->at_ms);
    return status;
}

/* ---- events ---- */

/* It stands in the log and in the person's profile. */
static enum at_status log_event(struct at_world *world, struct world_event *event) {
    struct at_logged_event logged;
    event->seq = ++world->seq;
    enum at_status status = parse_logged(world, event, &logged);
    if (status == AT_OK) status = fold(world, event->person, &logged);
    if (status == AT_OK) status = at_crowd_learn(world->crowd, &logged);
    if (status != AT_OK) return status;
    *world->events_end = event;
    world->events_end = &event->next;
    if (world->baseline) at_baseline_unref(world->baseline);
    world->baseline = NULL;
    return AT_OK;
}

static struct at_text keep(struct at_world *world, struct at_text text) {
    return (struct at_text){at_arena_dup(&world->arena, text.data, text.length), text.length};
}

enum at_status world_state_consent(struct at_world *world, uint32_t person,
                                   const struct at_consent_statement *said, uint32_t count, int64_t at_ms) {
    struct world_event *event = at_arena_zalloc(&world->arena, sizeof *event);
    struct at_json_out out = at_json_out(&world->facts);
    if (!event) return AT_NOMEM;
    at_bytes_reset(&world->facts);
    at_json_open(&out, '{');
    at_json_key(&out, "consent");
    at_json_open(&out, '[');
    for (uint32_t i = 0; i < count; i++) at_consent_write(&out, &said[i]);
    at_json_close(&out, ']');
    at_json_close(&out, '}');
    if (world->facts.failed) return AT_NOMEM;
    *event = (struct world_event){.person = person, .at_ms = at_ms, .name = AT_TEXT("consent_updated")};
    event->message_id = AT_TEXT("consent");
    event->facts = at_json_padded(&world->arena, (struct at_text){world->facts.data, world->facts.length});
    event->body = at_json_padded(&world->arena, AT_TEXT("{}"));
    return event->facts.data && event->body.data ? log_event(world, event) : AT_NOMEM;
}

/* What context.consent says that is news, said through the identifier that the event names first. */
static enum at_status hear_consent(struct at_world *world, uint32_t person, const struct at_event *event) {
    struct at_consent_said object[AT_CONSENT_OBJECT_MAX];
    struct at_consent_statement said[AT_CONSENT_OBJECT_MAX];
    char key[IDENTIFIER_KEY_MAX];
    uint32_t count = 0, news = 0;
    if (!event->identifier_count || at_consent_object(event->context, object, &count) != AT_CONSENT_READ)
        return AT_OK;
    size_t length = key_of(event->identifiers[0].kind, event->identifiers[0].value, key);
    uint64_t source = at_hash64(key, length) >> 1 | 1;
    for (uint32_t i = 0; i < count; i++) {
        const struct at_consent_statement *last =
            at_consent_last(world->people[person].profile, source, object[i].purpose);
        if (last && last->is_granted == object[i].is_granted) continue;
        said[news++] = (struct at_consent_statement){.purpose = object[i].purpose,
                                                     .channel = AT_TEXT(""),
                                                     .source = source,
                                                     .at_ms = event->at_ms,
                                                     .is_granted = object[i].is_granted,
                                                     .said = AT_TEXT("context.consent"),
                                                     .wording = AT_TEXT("")};
    }
    return news ? world_state_consent(world, person, said, news, event->at_ms) : AT_OK;
}

static bool may(const struct at_world *world, const struct at_profile *profile, const char *purpose,
                int64_t at_ms) {
    return at_consent_allows(consent_of(world), profile, at_text_of(purpose), AT_TEXT(""),
                             at_consent_region(profile->country), at_ms);
}

/* Whether the order or the refund is the first of its name. */
static enum at_status claim(struct at_world *world, const struct at_event *event, bool *is_won) {
    bool is_order = at_text_is(event->name, "order_completed"),
         is_refund = at_text_is(event->name, "order_refunded") || event->refund_id.length;
    struct at_text id = event->refund_id.length && is_refund ? event->refund_id : event->order_id;
    char key[AT_IDENTIFIER_MAX + 16];
    *is_won = true;
    if (!id.length || !(is_order || is_refund)) return AT_OK;
    size_t length =
        (size_t)snprintf(key, sizeof key, "%s %.*s", is_order ? "order" : "refund", (int)id.length, id.data);
    return at_map_put(&world->claims, key, length, is_won) ? AT_OK : AT_NOMEM;
}

static enum at_status write_event(struct at_world *world, const struct at_event *event, bool is_won,
                                  struct world_event *out) {
    at_bytes_reset(&world->facts);
    (void)at_event_write_facts(event, world->root, is_won, &world->facts);
    if (world->facts.failed) return AT_NOMEM;
    out->facts = at_json_padded(&world->arena, (struct at_text){world->facts.data, world->facts.length});
    at_bytes_reset(&world->facts);
    at_event_write_body(event, &world->facts);
    if (world->facts.failed) return AT_NOMEM;
    out->body = at_json_padded(&world->arena, (struct at_text){world->facts.data, world->facts.length});
    out->name = keep(world, event->name);
    out->message_id = keep(world, event->message_id);
    if (!event->message_id.length)
        out->message_id = at_text_of(at_arena_printf(&world->arena, "event-%u", (unsigned)world->seq + 1));
    return out->facts.data && out->body.data && out->name.data && out->message_id.data ? AT_OK : AT_NOMEM;
}

/* The event is parsed and it is known whose it is. *is_kept: in any case, or as the person's consent has it.
 */
static enum at_status take_in(struct at_world *world, uint32_t person, struct at_event *event,
                              bool *is_kept) {
    struct world_event *logged = at_arena_zalloc(&world->arena, sizeof *logged);
    bool is_won;
    enum at_status status = logged ? hear_consent(world, person, event) : AT_NOMEM;
    if (status != AT_OK) return status;
    const struct at_profile *profile = world->people[person].profile;
    *is_kept |= may(world, profile, "analytics", event->at_ms);
    if (!*is_kept) return AT_OK;
    event->is_unlearned = !may(world, profile, "personalization", event->at_ms);
    status = claim(world, event, &is_won);
    logged->person = person;
    logged->at_ms = event->at_ms;
    if (status == AT_OK) status = write_event(world, event, is_won, logged);
    if (status == AT_OK) status = know_all(world, person, event);
    return status == AT_OK ? log_event(world, logged) : status;
}

static bool is_repeated(struct at_world *world, const struct at_event *event) {
    bool is_new = true;
    if (event->message_id.length)
        (void)at_map_put(&world->messages, event->message_id.data, event->message_id.length, &is_new);
    return !is_new;
}

enum at_status world_happen(struct at_world *world, const struct world_happening *happening, uint32_t *whom,
                            struct at_error *err) {
    struct at_event event;
    struct at_event_defaults defaults = {.received_ms = happening->at_ms,
                                         .is_import = true,
                                         .any_identifier = true,
                                         .rules = identity_of(world)};
    uint32_t person = alive(world, happening->person);
    bool is_kept = happening->is_given;
    *whom = WORLD_NOBODY;
    enum at_status status =
        at_event_parse(&world->arena, happening->json, &defaults, world->root, &event, err);
    if (status != AT_OK) return status;
    event.is_backfill = false; /* it happens now */
    event.at_ms = happening->at_ms;
    if (is_repeated(world, &event)) return AT_OK;
    if (person == WORLD_NOBODY) status = resolve(world, &event, &person);
    if (status == AT_OK) status = take_in(world, person, &event, &is_kept);
    if (status == AT_TOOBIG)
        return at_fail(err, AT_TOOBIG, NULL, "a test may have %d people", WORLD_PEOPLE_MAX);
    if (status != AT_OK) return at_fail(err, status, NULL, "out of memory");
    if (is_kept) *whom = person;
    return AT_OK;
}

/* ---- the clock ---- */

static enum at_status happen_due(struct at_world *world, const struct world_due *due, struct at_error *err) {
    struct world_happening happening = {.at_ms = due->at_ms, .person = WORLD_NOBODY};
    uint32_t whom;
    enum at_status status =
        at_json_parse(world->value_parser, due->text.data, due->text.length, false, &happening.json, err);
    if (due->at_ms > world->now_ms) world->now_ms = due->at_ms;
    if (status == AT_OK) status = world_happen(world, &happening, &whom, err);
    if (status != AT_OK) at_error_prefix(err, "line %u of the events: ", due->line);
    return status;
}

enum at_status world_wait(struct at_world *world, int64_t ms, struct at_error *err) {
    int64_t until_ms = world->now_ms + ms;
    enum at_status status = AT_OK;
    while (status == AT_OK && world->due_next < world->due_count &&
           world->due[world->due_next].at_ms <= until_ms)
        status = happen_due(world, &world->due[world->due_next++], err);
    world->now_ms = until_ms;
    return status == AT_OK ? world_look_on(world) : status;
}

/* ---- what is seen of them ---- */

static int by_affinity(const void *a, const void *b) {
    double x = ((const struct at_taste_value *)a)->affinity, y = ((const struct at_taste_value *)b)->affinity;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* One facet with what given says of it in front; the rest follows as it was learned. */
static enum at_status give_facet(const struct at_world *world, struct at_decision_view *view,
                                 struct at_text facet, struct at_tastes *out) {
    const struct at_facet_taste *learned = NULL;
    for (uint32_t i = 0; i < view->tastes.facet_count; i++)
        if (at_text_equal(view->tastes.facets[i].facet, facet)) learned = &view->tastes.facets[i];
    size_t room = world->taste_count + (learned ? learned->count : 0) + 1;
    struct at_taste_value *values = at_arena_zalloc(view->arena, room * sizeof *values);
    if (!values) return AT_NOMEM;
    struct at_facet_taste given = {.facet = facet, .gain = learned ? learned->gain : 0};
    for (uint32_t i = 0; i < world->taste_count; i++) {
        const struct world_taste *taste = &world->tastes[i];
        if (!at_text_equal(taste->facet, facet)) continue;
        values[given.count++] =
            (struct at_taste_value){.value = taste->value, .affinity = taste->affinity, .weight = 1};
        if (taste->affinity > given.gain) given.gain = taste->affinity;
    }
    qsort(values, given.count, sizeof *values, by_affinity);
    for (uint32_t i = 0, said = given.count; learned && i < learned->count; i++) {
        const struct at_taste_value *value = &view->tastes.values[learned->first + i];
        uint32_t k = 0;
        while (k < said && !at_text_equal(values[k].value, value->value)) k++;
        if (k < said) continue;
        values[given.count++] = *value;
        given.disliked += value->said == AT_DISLIKED;
    }
    memcpy(out->values + out->facets[out->facet_count - 1].first, values, given.count * sizeof *values);
    given.first = out->facets[out->facet_count - 1].first;
    out->facets[out->facet_count - 1] = given;
    return AT_OK;
}

static bool is_given(const struct at_tastes *tastes, struct at_text facet) {
    for (uint32_t i = 0; i < tastes->facet_count; i++)
        if (at_text_equal(tastes->facets[i].facet, facet)) return true;
    return false;
}

/* The tastes that were learned, with what given says in their place. */
static enum at_status give_tastes(const struct at_world *world, struct at_decision_view *view) {
    enum at_status status = personal_tastes(view);
    uint32_t learned = 0, next = 0;
    for (uint32_t i = 0; i < view->tastes.facet_count; i++) learned += view->tastes.facets[i].count;
    struct at_tastes all = {
        .facets = at_arena_zalloc(view->arena,
                                  (world->taste_count + view->tastes.facet_count + 1) * sizeof *all.facets),
        .values = at_arena_zalloc(view->arena, (world->taste_count + learned + 1) * sizeof *all.values)};
    if (!all.facets || !all.values) return AT_NOMEM;
    for (uint32_t i = 0; i < world->taste_count + view->tastes.facet_count && status == AT_OK; i++) {
        struct at_text facet = i < world->taste_count ? world->tastes[i].facet
                                                      : view->tastes.facets[i - world->taste_count].facet;
        if (is_given(&all, facet)) continue;
        all.facets[all.facet_count++].first = next;
        status = give_facet(world, view, facet, &all);
        next += all.facets[all.facet_count - 1].count;
    }
    view->tastes = all;
    return status;
}

static enum at_status profile_seen(const struct at_world *world, struct at_decision_view *view,
                                   struct at_profile **seen) {
    view->profile = view->whole;
    if (view->is_plain && view->whole->person)
        *seen = at_profile_plain(view->whole);
    else if (at_profile_has_unused(view->whole, consent_of(world)))
        *seen = at_profile_without_unused(view->whole, consent_of(world));
    else
        return AT_OK;
    if (*seen) view->profile = *seen;
    return *seen ? AT_OK : AT_NOMEM;
}

enum at_status world_look(struct at_world *world, uint32_t person, struct at_decision_view *view,
                          struct at_profile **seen) {
    *seen = NULL;
    if (!world->baseline) world->baseline = at_crowd_baseline(world->crowd);
    if (!world->baseline) return AT_NOMEM;
    person = alive(world, person);
    *view = (struct at_decision_view){.root = world->root,
                                      .whole = world->people[person].profile,
                                      .baseline = world->baseline,
                                      .now_ms = world->now_ms,
                                      .page_product = AT_ROW_NONE,
                                      .arena = view->arena};
    view->is_plain = !may(world, view->whole, "personalization", world->now_ms);
    enum at_status status = profile_seen(world, view, seen);
    bool is_customer = person == world_customer(world);
    if (status == AT_OK && world->taste_count && is_customer && !view->is_plain)
        status = give_tastes(world, view);
    return status;
}

enum at_status world_look_on(struct at_world *world) {
    struct at_profile *seen = NULL;
    at_decision_end(world->run->outer, &world->view);
    world->view.arena = &world->arena;
    if (world->customer == WORLD_NOBODY) return AT_OK;
    enum at_status status = world_look(world, world->customer, &world->view, &seen);
    if (world->seen) at_profile_unref(world->seen);
    world->seen = seen;
    return status;
}
