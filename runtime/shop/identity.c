/* SPDX-License-Identifier: Apache-2.0
 *
 * Whom an event is about: its identifiers, strongest first, are put together as long as the rules allow it
 * (identity.h says what is left out).
 */
#include <string.h>
#include "base/hash.h"
#include "shop/internal.h"

uint64_t identity_hash(const struct identity *identity, struct at_text kind, struct at_text value) {
    char text[640];
    size_t length = kind.length + 1 + value.length;
    if (length > sizeof text)
        return at_mix64(at_hash64_seed(value.data, value.length, identity->seed) ^
                        at_hash64(kind.data, kind.length)) |
               1;
    memcpy(text, kind.data, kind.length);
    text[kind.length] = 0;
    memcpy(text + kind.length + 1, value.data, value.length);
    uint64_t hash = at_hash64_seed(text, length, identity->seed);
    return hash ? hash : 1;
}

static struct identity_entry look_up(struct identity *identity, struct at_text kind, struct at_text value) {
    struct identity_entry found = {0};
    struct at_arena arena;
    at_arena_init(&arena, 4096);
    value = at_identity_normal(&identity->rules, kind, value, &arena);
    uint64_t hash = value.length ? identity_hash(identity, kind, value) : 0;
    at_arena_clear(&arena);
    if (!hash) return found;
    pthread_mutex_lock(&identity->mutex);
    uint32_t place = identity_place(identity, hash);
    if (place != NO_PLACE) found = *identity_at(identity, place);
    pthread_mutex_unlock(&identity->mutex);
    return found;
}

uint64_t identity_find(struct identity *identity, struct at_text kind, struct at_text value) {
    return look_up(identity, kind, value).person;
}

uint64_t identity_source(struct identity *identity, struct at_text kind, struct at_text value) {
    return look_up(identity, kind, value).id;
}

/* ---- what the rules allow ---- */

struct sum { /* of some rings, or of a new identifier */
    uint32_t of_kind[AT_IDENTITY_KINDS_MAX];
    uint32_t count;
    bool is_strong, is_barred;
};
struct gathering { /* what becomes one person */
    const struct identity *identity;
    uint32_t rings[AT_EVENT_IDENTIFIERS_MAX]; /* a place of each person in it */
    uint32_t ring_count;
    uint64_t fresh[AT_EVENT_IDENTIFIERS_MAX]; /* ids of new ones that were taken apart from others */
    uint32_t fresh_count;
    uint64_t merges;
    struct sum sum;
    bool has_strong; /* one of the rings does */
    uint32_t at_hours;
    bool is_proven;
};

static bool is_within(const struct at_identity_kind *kind, uint32_t since_hours, uint32_t at_hours) {
    if (!kind->within_ms) return true;
    uint32_t apart = since_hours > at_hours ? since_hours - at_hours : at_hours - since_hours;
    return apart < kind->within_ms / AT_HOUR_MS;
}

static void add_to(struct sum *sum, const struct gathering *gathering, uint32_t kind, uint32_t since_hours) {
    const struct at_identity_rules *rules = &gathering->identity->rules;
    sum->count++;
    if (kind >= rules->kind_count) return; /* no longer declared: of these there may be any number */
    sum->of_kind[kind] += is_within(&rules->kinds[kind], since_hours, gathering->at_hours);
    sum->is_strong |= rules->kinds[kind].is_strong;
}

static struct sum sum_of(const struct gathering *gathering, uint32_t first) {
    struct sum sum = {0};
    uint32_t place = first;
    do {
        const struct identity_entry *entry = identity_at(gathering->identity, place);
        add_to(&sum, gathering, entry->kind, entry->since_hours);
        sum.is_barred |= entry->is_barred;
        place = entry->next;
    } while (place != first);
    return sum;
}

static bool is_apart(const struct identity *identity, uint32_t first_a, uint32_t first_b) {
    uint32_t a = first_a;
    do {
        const struct identity_entry *one = identity_at(identity, a);
        uint32_t b = first_b;
        do {
            const struct identity_entry *other = identity_at(identity, b);
            if (one->is_barred && other->is_barred && identity_is_barred(identity, one->id, other->id))
                return true;
            b = other->next;
        } while (b != first_b);
        a = one->next;
    } while (a != first_a);
    return false;
}

/* A new identifier of a rehearsal is an old one of the shop. 0: it is new there, too. */
static uint64_t id_ahead(const struct identity *identity, uint64_t hash, bool *is_barred) {
    uint64_t id = 0;
    if (!identity->known) return 0;
    pthread_mutex_lock(&identity->known->mutex);
    uint32_t place = identity_place(identity->known, hash);
    if (place != NO_PLACE) {
        id = identity_at(identity->known, place)->id;
        *is_barred = identity_at(identity->known, place)->is_barred;
    }
    pthread_mutex_unlock(&identity->known->mutex);
    return id;
}

static bool is_id_apart(const struct identity *identity, uint64_t id, uint32_t first) {
    uint32_t place = first;
    do {
        const struct identity_entry *entry = identity_at(identity, place);
        if (entry->is_barred && identity_is_barred(identity, id, entry->id)) return true;
        place = entry->next;
    } while (place != first);
    return false;
}

static bool is_fresh_apart(const struct gathering *gathering, uint64_t id) {
    for (uint32_t i = 0; i < gathering->ring_count; i++)
        if (is_id_apart(gathering->identity, id, gathering->rings[i])) return true;
    for (uint32_t i = 0; i < gathering->fresh_count; i++)
        if (identity_is_barred(gathering->identity, id, gathering->fresh[i])) return true;
    return false;
}

static enum identity_refusal refuse_sum(const struct gathering *gathering, const struct sum *more) {
    const struct at_identity_rules *rules = &gathering->identity->rules;
    if (gathering->sum.count + more->count > PERSON_IDENTIFIERS_MAX) return IDENTITY_TOO_MANY;
    for (uint32_t i = 0; i < rules->kind_count; i++)
        if (more->of_kind[i] && gathering->sum.of_kind[i] + more->of_kind[i] > rules->kinds[i].at_most)
            return IDENTITY_LIMIT;
    return IDENTITY_TAKEN;
}

static enum identity_refusal refuse_ring(const struct gathering *gathering, uint32_t place,
                                         const struct sum *more) {
    const struct identity *identity = gathering->identity;
    enum identity_refusal refusal = refuse_sum(gathering, more);
    for (uint32_t i = 0; i < gathering->fresh_count && more->is_barred; i++)
        if (is_id_apart(identity, gathering->fresh[i], place)) return IDENTITY_BARRED;
    if (refusal != IDENTITY_TAKEN || !gathering->ring_count) return refusal;
    uint64_t merges = identity_merge_count(identity, identity_at(identity, place)->person);
    if (gathering->merges + merges + gathering->ring_count > PERSON_MERGES_MAX) return IDENTITY_TOO_MANY;
    if (identity->rules.proof_required && !gathering->is_proven && gathering->has_strong && more->is_strong)
        return IDENTITY_UNPROVEN;
    for (uint32_t i = 0; i < gathering->ring_count && more->is_barred && gathering->sum.is_barred; i++)
        if (is_apart(identity, gathering->rings[i], place)) return IDENTITY_BARRED;
    return IDENTITY_TAKEN;
}

static void take_sum(struct gathering *gathering, const struct sum *more) {
    for (uint32_t i = 0; i < AT_IDENTITY_KINDS_MAX; i++) gathering->sum.of_kind[i] += more->of_kind[i];
    gathering->sum.count += more->count;
    gathering->sum.is_barred |= more->is_barred;
}

static enum identity_refusal gather_ring(struct gathering *gathering, uint32_t place) {
    const struct identity_entry *entry = identity_at(gathering->identity, place);
    for (uint32_t i = 0; i < gathering->ring_count; i++)
        if (identity_at(gathering->identity, gathering->rings[i])->person == entry->person)
            return IDENTITY_TAKEN;
    struct sum more = sum_of(gathering, place);
    /* Somebody who is there is there, whatever the rules have become since. */
    enum identity_refusal refusal =
        gathering->sum.count ? refuse_ring(gathering, place, &more) : IDENTITY_TAKEN;
    if (refusal != IDENTITY_TAKEN) return refusal;
    gathering->merges += identity_merge_count(gathering->identity, entry->person);
    gathering->rings[gathering->ring_count++] = place;
    gathering->has_strong |= more.is_strong;
    take_sum(gathering, &more);
    return IDENTITY_TAKEN;
}

static enum identity_refusal gather_new(struct gathering *gathering, const struct resolved_identifier *one) {
    struct sum more = {0};
    uint64_t id = id_ahead(gathering->identity, one->hash, &more.is_barred);
    add_to(&more, gathering, one->kind, gathering->at_hours);
    enum identity_refusal refusal = gathering->sum.count ? refuse_sum(gathering, &more) : IDENTITY_TAKEN;
    if (refusal == IDENTITY_TAKEN && more.is_barred && is_fresh_apart(gathering, id))
        refusal = IDENTITY_BARRED;
    if (refusal != IDENTITY_TAKEN) return refusal;
    if (more.is_barred) gathering->fresh[gathering->fresh_count++] = id;
    take_sum(gathering, &more);
    return IDENTITY_TAKEN;
}

/* ---- an event ---- */

/* All of them are one known person's: what nearly every event is. */
static bool is_one_person(const struct identity *identity, struct resolved *out) {
    for (uint32_t i = 0; i < out->count; i++) {
        struct resolved_identifier *one = &out->identifiers[i];
        uint32_t place = identity_place(identity, one->hash);
        if (place == NO_PLACE) return false;
        const struct identity_entry *entry = identity_at(identity, place);
        if (i && entry->person != out->person) return false;
        out->person = entry->person;
        one->id = entry->id;
        one->is_committed = entry->is_committed;
    }
    return out->count > 0;
}

static void note_known(struct resolved *out, struct resolved_identifier *one,
                       const struct identity_entry *entry, uint64_t *first_hash) {
    one->id = entry->id;
    one->is_committed = entry->is_committed;
    if (!out->person) {
        out->person = entry->person;
        *first_hash = one->hash;
    } else if (entry->person != out->person && !out->join_a) {
        out->join_a = *first_hash;
        out->join_b = one->hash;
    }
}

static void insert(struct identity *identity, struct resolved *out, struct resolved_identifier *one,
                   uint32_t at_hours, uint32_t *beside) {
    bool is_barred = false;
    uint64_t id = id_ahead(identity, one->hash, &is_barred);
    one->id = id ? id : identity->next_id(identity->next_arg);
    struct identity_entry entry = {.hash = one->hash,
                                   .id = one->id,
                                   .person = out->person,
                                   .kind = one->kind & 31,
                                   .since_hours = at_hours,
                                   .is_barred = is_barred};
    *beside = identity_add(identity, &entry, *beside);
}

/* Strongest first, in the order of the event where the kind is the same: kinds are numbered by strength. */
static void resolve_locked(struct identity *identity, struct gathering *gathering, struct resolved *out) {
    uint64_t first_hash = 0;
    uint32_t beside = NO_PLACE;
    for (uint32_t kind = 0; kind <= AT_IDENTITY_KINDS_MAX; kind++)
        for (uint32_t i = 0; i < out->count; i++) {
            struct resolved_identifier *one = &out->identifiers[i];
            if (one->kind != kind) continue;
            uint32_t place = identity_place(identity, one->hash);
            one->refusal = place == NO_PLACE ? gather_new(gathering, one) : gather_ring(gathering, place);
            if (place == NO_PLACE || one->refusal != IDENTITY_TAKEN) continue;
            note_known(out, one, identity_at(identity, place), &first_hash);
            if (beside == NO_PLACE) beside = place;
        }
    out->is_new = out->person == 0;
    if (out->is_new) out->person = identity->next_id(identity->next_arg);
    for (uint32_t i = 0; i < out->count; i++)
        if (!out->identifiers[i].id && out->identifiers[i].refusal == IDENTITY_TAKEN)
            insert(identity, out, &out->identifiers[i], gathering->at_hours, &beside);
}

/* What the event shows that the ledger does not have: two names of one person. */
static enum at_status list_links(struct identity *identity, struct resolved *out) {
    for (uint32_t i = 0; i < out->count; i++)
        for (uint32_t j = 0; j < i; j++) {
            const struct resolved_identifier *one = &out->identifiers[i], *other = &out->identifiers[j];
            if (one->refusal != IDENTITY_TAKEN || other->refusal != IDENTITY_TAKEN) continue;
            uint64_t *is_kept = identity_link(identity, one->id, other->id);
            if (!is_kept) return AT_NOMEM;
            if (*is_kept) continue;
            out->links[out->link_count][0] = (uint8_t)j;
            out->links[out->link_count++][1] = (uint8_t)i;
        }
    return AT_OK;
}

static void list_identifiers(const struct identity *identity, const struct at_event *event,
                             struct resolved *out) {
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        struct resolved_identifier one = {.identifier = event->identifiers[i]};
        one.hash = identity_hash(identity, one.identifier.kind, one.identifier.value);
        one.kind = at_identity_kind_find(&identity->rules, one.identifier.kind);
        bool is_double = false;
        for (uint32_t j = 0; j < out->count; j++) is_double |= out->identifiers[j].hash == one.hash;
        if (!is_double) out->identifiers[out->count++] = one;
    }
}

bool identity_knows(struct identity *identity, const struct at_event *event) {
    bool is_known = false;
    for (uint32_t i = 0; i < event->identifier_count && !is_known; i++) {
        uint64_t hash = identity_hash(identity, event->identifiers[i].kind, event->identifiers[i].value);
        pthread_mutex_lock(&identity->mutex);
        is_known = identity_place(identity, hash) != NO_PLACE;
        pthread_mutex_unlock(&identity->mutex);
    }
    return is_known;
}

static bool make_room(const struct at_event *event, struct at_arena *arena, struct resolved *out) {
    uint32_t count = event->identifier_count, pairs = count ? count * (count - 1) / 2 : 0;
    *out = (struct resolved){.identifiers = at_arena_alloc(arena, count * sizeof *out->identifiers),
                             .links = at_arena_alloc(arena, pairs * sizeof *out->links)};
    return out->identifiers && out->links;
}

enum at_status identity_resolve(struct identity *identity, const struct at_event *event, bool is_proven,
                                struct at_arena *arena, struct resolved *out) {
    if (!make_room(event, arena, out)) return AT_NOMEM;
    list_identifiers(identity, event, out);
    enum at_status status = AT_OK;
    pthread_mutex_lock(&identity->mutex);
    if (!is_one_person(identity, out)) {
        struct gathering gathering = {
            .identity = identity, .at_hours = identity_hours(event->at_ms), .is_proven = is_proven};
        out->person = 0;
        for (uint32_t i = 0; i < out->count; i++) out->identifiers[i].id = 0;
        status = identity_make_room(identity, out->count);
        if (status == AT_OK) resolve_locked(identity, &gathering, out);
    }
    if (status == AT_OK && !out->join_a) status = list_links(identity, out);
    pthread_mutex_unlock(&identity->mutex);
    /* An event stays with its source for ever: the browser's if it is this person's, else what names the
     * person. */
    for (uint32_t i = 0; i < out->count && !out->source; i++)
        if (out->identifiers[i].refusal == IDENTITY_TAKEN) out->source = out->identifiers[i].id;
    return status;
}

void identity_committed(struct identity *identity, const struct resolved *who) {
    pthread_mutex_lock(&identity->mutex);
    for (uint32_t i = 0; i < who->count; i++)
        if (who->identifiers[i].refusal == IDENTITY_TAKEN)
            identity_at(identity, identity_place(identity, who->identifiers[i].hash))->is_committed = true;
    for (uint32_t i = 0; i < who->link_count; i++) {
        uint64_t a = who->identifiers[who->links[i][0]].id, b = who->identifiers[who->links[i][1]].id;
        uint64_t *is_kept = at_intmap_get(&identity->links, identity_pair_key(a, b));
        if (is_kept) *is_kept = 1;
    }
    pthread_mutex_unlock(&identity->mutex);
}

bool identity_pair(struct identity *identity, const struct evidence *evidence, struct identity_pair *out) {
    struct gathering gathering = {
        .identity = identity, .at_hours = identity_hours(evidence->at_ms), .is_proven = evidence->is_proven};
    pthread_mutex_lock(&identity->mutex);
    uint32_t a = identity_place(identity, evidence->hash_a), b = identity_place(identity, evidence->hash_b);
    if (a == NO_PLACE || b == NO_PLACE) { /* forgotten since the event was looked at */
        pthread_mutex_unlock(&identity->mutex);
        return false;
    }
    const struct identity_entry *one = identity_at(identity, a), *other = identity_at(identity, b);
    *out = (struct identity_pair){{one->person, other->person}, {one->id, other->id}};
    bool may = one->person != other->person && gather_ring(&gathering, a) == IDENTITY_TAKEN &&
               gather_ring(&gathering, b) == IDENTITY_TAKEN;
    pthread_mutex_unlock(&identity->mutex);
    return may;
}
