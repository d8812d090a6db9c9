/* SPDX-License-Identifier: Apache-2.0
 *
 * What a request with events writes: one row an event, the new identifiers, the claims won; and the next
 * snapshot of each person, computed from what is stored, so that a fold of the log gives the same. The
 * outcome comes on the commit thread.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "shop/track.h"

struct building {
    struct track *track;
    struct at_arena *arena;
    struct at_json_parser *facts_parser, *body_parser;
    struct at_bytes *bytes; /* the worker's, warm */
    /* The events of one person that stand together are folded as one run. */
    struct hold *running; /* NULL: none is going on */
    struct at_profile_run *run;
};

/* A copy in the arena with room behind it for the parser. */
static bool keep(struct building *building, struct at_text *out) {
    if (building->bytes->failed) return false;
    *out = at_json_padded(building->arena, (struct at_text){building->bytes->data, building->bytes->length});
    return out->data != NULL;
}

/* Counted each time, told of once a product, and of 64 products at most. */
static void tell_cut(struct at_shop *shop, struct at_text product) {
    count_add(shop, COUNT_FACETS_CUT, 1);
    if (!told_first(shop->cut_products, at_hash64(product.data, product.length))) return;
    at_log(at_shop_log(shop), AT_LOG_WARN, "events",
           "product %.*s has more than %d KiB of facets: what does not fit counts for nobody's taste",
           (int)product.length, product.data, AT_FACETS_BYTES_MAX / 1024);
}

/* As it is by now: valid until the next step. */
static const struct at_profile *latest(const struct building *building, const struct hold *hold) {
    if (building->running == hold) return at_profile_run_state(building->run);
    return hold->next ? hold->next : hold->wait.profile;
}

static enum at_status end_run(struct building *building) {
    struct hold *hold = building->running;
    if (!hold) return AT_OK;
    struct at_profile *next = at_profile_run_end(building->run);
    if (hold->next) at_profile_unref(hold->next);
    hold->next = next;
    building->running = NULL;
    return next ? AT_OK : AT_NOMEM;
}

static enum at_status run_of(struct building *building, struct hold *hold) {
    if (building->running == hold) return AT_OK;
    enum at_status status = end_run(building);
    if (status != AT_OK) return status;
    building->run = at_profile_run_begin(hold->next ? hold->next : hold->wait.profile);
    building->running = building->run ? hold : NULL;
    return building->run ? AT_OK : AT_NOMEM;
}

/* Whether a copy of an order that counts already has products which none before it had; marks the others. */
static bool brings_items(const struct building *building, const struct tracked *one) {
    const struct at_event *event = &one->event;
    const struct at_profile *profile = latest(building, one->hold);
    bool brings = false;
    for (uint32_t i = 0; i < event->item_count; i++) event->items[i].is_again = false;
    if (!one->is_lost || !event->item_count || !at_text_is(event->name, "order_completed")) return false;
    struct at_order_names names = {.names = {event->order_id}, .at_ms = event->at_ms};
    memcpy(&names.names[1], event->order_also, sizeof event->order_also);
    const struct at_order *order = at_profile_order(profile, &names, true);
    if (!order || order < profile->order_list || order >= profile->order_list + profile->order_count)
        return false;
    for (uint32_t i = 0; i < event->item_count; i++) {
        struct at_event_item *item = &event->items[i];
        item->is_again = order->is_closed;
        for (uint32_t k = 0; k < order->item_count && !item->is_again; k++)
            item->is_again = at_text_equal(order->items[k].product, item->product);
        brings |= !item->is_again;
    }
    return brings;
}

static bool write_texts(struct building *building, struct tracked *one, struct at_root *root,
                        struct at_write *write) {
    struct at_text cut = {NULL, 0};
    one->event.brings_items = brings_items(building, one);
    at_bytes_reset(building->bytes);
    if (one->is_conflict)
        at_bytes_add_text(building->bytes, AT_CONFLICT_FACTS);
    else
        cut = at_event_write_facts(&one->event, root, !one->is_lost, building->bytes);
    if (cut.data) tell_cut(building->track->job->worker->shop, cut);
    if (!keep(building, &write->event.facts)) return false;
    at_bytes_reset(building->bytes);
    at_event_write_body(&one->event, building->bytes);
    return keep(building, &write->event.body);
}

static enum at_status add_row(struct building *building, struct tracked *one, struct at_root *root,
                              struct at_write **out) {
    struct track *track = building->track;
    struct at_write *write = *out = at_unit_write(&track->unit, building->arena, AT_WRITE_EVENT);
    if (!write || !write_texts(building, one, root, write)) return AT_NOMEM;
    struct at_event_row *row = &write->event;
    row->source = one->who.source;
    row->at_ms = one->event.at_ms;
    row->received_ms = one->event.received_ms;
    row->origin = at_text_of(track->job->source);
    row->message_id = one->event.message_id;
    row->name = one->event.name;
    row->message_key = one->key;
    row->payload_hash = one->payload;
    one->hold->last_event = track->unit.event_count - 1; /* at_unit_write counted it */
    track->unit.bytes += row->body.length + row->facts.length + 200;
    return AT_OK;
}

/* An identifier is known since its event, and not since a moment that a wrong clock says is to come: who is
 * in a restored database since after an erasure is somebody new there. */
static int64_t known_since(const struct tracked *one) {
    return one->event.at_ms < one->event.received_ms ? one->event.at_ms : one->event.received_ms;
}

static enum at_status add_identifiers(struct building *building, struct tracked *one) {
    for (uint32_t i = 0; i < one->who.count; i++) {
        const struct resolved_identifier *id = &one->who.identifiers[i];
        if (id->is_committed || id->refusal != IDENTITY_TAKEN) continue;
        struct at_write *write = at_unit_write(&building->track->unit, building->arena, AT_WRITE_IDENTIFIER);
        if (!write) return AT_NOMEM;
        write->identifier = (struct at_identifier_row){id->id, id->identifier.kind, id->identifier.value,
                                                       one->who.person, known_since(one)};
    }
    return AT_OK;
}

/* The event is the evidence that what it names belongs together. */
static enum at_status add_links(struct building *building, struct tracked *one) {
    for (uint32_t i = 0; i < one->who.link_count; i++) {
        struct at_write *write = at_unit_write(&building->track->unit, building->arena, AT_WRITE_LINK);
        if (!write) return AT_NOMEM;
        uint64_t a = one->who.identifiers[one->who.links[i][0]].id,
                 b = one->who.identifiers[one->who.links[i][1]].id;
        write->link = (struct at_link_row){
            a < b ? a : b,         a < b ? b : a,
            one->event.at_ms,      at_text_of(building->track->job->source),
            one->event.message_id, one->is_withheld ? AT_TEXT("consent_updated") : one->event.name};
    }
    return AT_OK;
}

static bool has_own_context(const struct at_event *event) {
    struct at_json context = at_json_get(event->json, "context");
    return !event->context.tape || (context.tape && !at_json_is_null(context));
}

/* The snapshot after this event. Its place in the log is not known before the commit: the sequence is put
 * right then. */
static enum at_status fold_in(struct building *building, struct hold *hold, struct at_logged_event *logged) {
    enum at_status status = run_of(building, hold);
    if (status != AT_OK) return status;
    logged->seq = at_profile_run_state(building->run)->applied_seq + 1;
    hold->has_rows = true;
    return at_profile_run_apply(building->run, logged) ? AT_OK : AT_NOMEM;
}

/* What a commit has, the profile has, too, or left for want of room: the fold does not bring it back either.
 */
static enum at_status know_identifiers(struct building *building, const struct tracked *one) {
    for (uint32_t i = 0; i < one->who.count; i++) {
        const struct resolved_identifier *id = &one->who.identifiers[i];
        if (id->refusal != IDENTITY_TAKEN || id->is_committed) continue;
        enum at_status status = run_of(building, one->hold);
        if (status != AT_OK) return status;
        if (!at_profile_run_identifier(building->run, &id->identifier, known_since(one))) return AT_NOMEM;
    }
    return AT_OK;
}

static enum at_status apply(struct building *building, struct tracked *one, const struct at_write *write) {
    struct at_logged_event logged = {.at_ms = one->event.at_ms,
                                     .received_ms = one->event.received_ms,
                                     .name = one->event.name,
                                     .message_id = one->event.message_id};
    enum at_status status = at_json_parse(building->facts_parser, write->event.facts.data,
                                          write->event.facts.length, true, &logged.facts, NULL);
    /* What is stored as sent need not be read again; the batch's context, put into it, must be. */
    if (has_own_context(&one->event))
        logged.body = one->event.json;
    else if (status == AT_OK)
        status = at_json_parse(building->body_parser, write->event.body.data, write->event.body.length, true,
                               &logged.body, NULL);
    if (status != AT_OK) return status == AT_INVALID ? AT_NOMEM : status;
    return fold_in(building, one->hold, &logged);
}

static enum at_status learn(struct tracked *one, const struct at_write *write) {
    bool has_items = one->event.item_count > 0 && !one->is_conflict && !one->event.is_unlearned;
    size_t length = has_items ? write->event.facts.length : 0;
    struct learn_event *learned = malloc(sizeof *learned + length + AT_JSON_PADDING);
    if (!learned) return AT_NOMEM;
    *learned = (struct learn_event){.source = one->who.source,
                                    .person = one->who.person,
                                    .at_ms = one->event.at_ms,
                                    .facts_length = (uint32_t)length,
                                    .has_items = has_items,
                                    .is_backfill = one->event.is_backfill};
    size_t name =
        one->event.name.length < sizeof learned->name ? one->event.name.length : sizeof learned->name - 1;
    memcpy(learned->name, one->event.name.data, name);
    memcpy(learned->facts, write->event.facts.data, length);
    memset(learned->facts + length, 0, AT_JSON_PADDING);
    one->learned = learned;
    return AT_OK;
}

/* An event about consent is its statements; of others they stand before it. */
static bool is_statement(const struct tracked *one) {
    return one->said_count && at_text_is(one->event.name, "consent_updated");
}

/* What is said of consent is an event of its own, before the event it came with. */
static enum at_status build_statement(struct building *building, struct tracked *one) {
    struct track *track = building->track;
    struct at_write *write = at_unit_write(&track->unit, building->arena, AT_WRITE_EVENT);
    struct at_event_row *row = write ? &write->event : NULL;
    if (!row) return AT_NOMEM;
    at_bytes_reset(building->bytes);
    track_consent_facts(one, building->bytes);
    if (!keep(building, &row->facts)) return AT_NOMEM;
    at_bytes_reset(building->bytes);
    track_consent_body(one, building->bytes);
    if (!keep(building, &row->body)) return AT_NOMEM;
    row->source = one->who.source;
    row->at_ms = one->event.at_ms;
    row->received_ms = one->event.received_ms;
    row->origin = at_text_of(track->job->source);
    row->message_id = one->event.message_id;
    row->name = AT_TEXT("consent_updated");
    row->message_key = is_statement(one) ? one->key : track_consent_key(one);
    row->payload_hash = is_statement(one) ? one->payload : 0;
    one->hold->last_event = track->unit.event_count - 1;
    track->unit.bytes += row->body.length + row->facts.length + 200;
    struct at_logged_event logged = {.at_ms = row->at_ms,
                                     .received_ms = row->received_ms,
                                     .name = row->name,
                                     .message_id = row->message_id};
    enum at_status status =
        at_json_parse(building->facts_parser, row->facts.data, row->facts.length, true, &logged.facts, NULL);
    if (status != AT_OK) return status == AT_INVALID ? AT_NOMEM : status;
    one->said_learned = calloc(1, sizeof *one->said_learned + AT_JSON_PADDING);
    if (!one->said_learned) return AT_NOMEM;
    one->said_learned->source = row->source;
    one->said_learned->person = one->who.person;
    one->said_learned->at_ms = row->at_ms;
    one->said_learned->is_backfill = one->event.is_backfill;
    memcpy(one->said_learned->name, row->name.data, row->name.length);
    return fold_in(building, one->hold, &logged);
}

static enum at_status build_event(struct building *building, struct tracked *one, struct at_root *root) {
    struct at_write *write = NULL;
    enum at_status status = add_row(building, one, root, &write);
    if (status == AT_OK) status = claims_write(building->track, one);
    if (status == AT_OK) status = apply(building, one, write);
    if (status == AT_OK) status = learn(one, write);
    return status;
}

static enum at_status build_one(struct building *building, struct tracked *one, struct at_root *root) {
    if (!one->hold) { /* a stranger who may not be analysed */
        building->track->withheld++;
        return AT_OK;
    }
    enum at_status status = track_consent_said(building->track, one, latest(building, one->hold));
    if (status == AT_OK && one->said_count) status = build_statement(building, one);
    if (status != AT_OK) return status;
    track_consent_judge(building->track, one, latest(building, one->hold));
    if (one->is_withheld) track_consent_forget(one);
    if (is_statement(one)) one->is_withheld = false; /* nothing else is in it */
    if (one->is_withheld) building->track->withheld++;
    if (!one->is_withheld && !is_statement(one)) status = build_event(building, one, root);
    if (status == AT_OK) status = add_identifiers(building, one);
    if (status == AT_OK) status = add_links(building, one);
    if (status == AT_OK) status = know_identifiers(building, one);
    return status;
}

/* A person of whom nothing is written stays as it is. */
static void keep_others(struct track *track) {
    for (uint32_t i = 0; i < track->hold_count; i++) {
        struct hold *hold = &track->holds[i];
        if (!hold->next) hold->next = at_profile_ref(hold->wait.profile);
    }
}

/* The snapshots' place in the log. */
static void set_places(struct at_unit *unit) {
    struct track *track = unit->arg;
    for (uint32_t i = 0; i < track->hold_count; i++)
        if (track->holds[i].has_rows)
            track->holds[i].next->applied_seq = unit->first_seq + track->holds[i].last_event;
    if (track->withheld) withheld_place(track);
}

bool track_accept(struct at_unit *unit) {
    struct track *track = unit->arg;
    if (!line_accepts(track)) return false;
    for (uint32_t i = 0; i < track->hold_count && !track->is_exclusive; i++)
        if (!people_accept(&track->holds[i].wait, track->holds[i].next)) return false;
    return true;
}

bool track_is_last_round(const struct track *track) {
    for (uint32_t i = 0; i < track->count; i++)
        if (track->events[i].state == TRACKED_PENDING) return false;
    return true;
}

enum at_status track_build(struct track *track) {
    struct at_worker *worker = track->job->worker;
    struct building building = {.track = track,
                                .arena = track->job->arena,
                                .facts_parser = at_worker_take_parser(worker),
                                .body_parser = at_worker_take_parser(worker),
                                .bytes = &worker->text};
    struct at_root *root = at_catalog_root(worker->shop->catalog);
    enum at_status status = building.facts_parser && building.body_parser ? AT_OK : AT_NOMEM;
    track->unit = (struct at_unit){.is_retriable = true,
                                   .sequenced = set_places,
                                   .is_current = track_accept,
                                   .done = track_done,
                                   .refuse = track_refuse,
                                   .arg = track};
    track->withheld = 0;
    uint32_t i = 0;
    for (struct tracked *one; status == AT_OK && (one = round_next(track, &i));)
        status = build_one(&building, one, root);
    enum at_status ended = end_run(&building);
    if (status == AT_OK) status = ended;
    if (status == AT_OK && track->withheld) status = withheld_write(track);
    track->mark.is_written = false;
    if (status == AT_OK && track->mark.name.length && track_is_last_round(track))
        status = track_mark_write(track, &track->unit);
    if (status == AT_OK) keep_others(track);
    at_root_unref(root);
    if (building.facts_parser) at_worker_give_parser(worker, building.facts_parser);
    if (building.body_parser) at_worker_give_parser(worker, building.body_parser);
    return status;
}

void track_drop_build(struct track *track) {
    for (uint32_t i = 0; i < track->count; i++) {
        free(track->events[i].learned);
        free(track->events[i].said_learned);
        track->events[i].learned = track->events[i].said_learned = NULL;
    }
    for (uint32_t i = 0; i < track->hold_count; i++) {
        if (track->holds[i].next) at_profile_unref(track->holds[i].next);
        track->holds[i].next = NULL;
        track->holds[i].has_rows = false;
    }
}

/* What they were built on is the worker's to let go: memory goes back on the thread that asks for more, or
 * the two wait for each other in the allocator. */
static void release_holds(struct track *track) {
    struct at_shop *shop = track->job->worker->shop;
    for (uint32_t i = 0; i < track->hold_count; i++) {
        struct hold *hold = &track->holds[i];
        if (track->is_exclusive)
            people_release(shop, hold->wait.person, hold->next);
        else
            people_settle_unit(shop, &hold->wait, hold->next);
        hold->next = NULL;
    }
}

static void tell_live(struct at_shop *shop, const struct tracked *one, uint64_t seq) {
    struct at_bytes bytes;
    at_bytes_init(&bytes, 4096);
    struct at_json_out out = at_json_out(&bytes);
    at_json_open(&out, '{');
    at_json_add_int(&out, "seq", (int64_t)seq);
    at_json_add_text(&out, "name", one->event.name);
    at_json_add_time(&out, "timestamp", one->event.at_ms);
    if (one->is_conflict) at_json_add_bool(&out, "conflict", true);
    if (one->event.is_backfill) at_json_add_bool(&out, "backfill", true);
    at_json_close(&out, '}');
    if (!bytes.failed) live_send(shop, "event", (struct at_text){bytes.data, bytes.length});
    at_bytes_clear(&bytes);
}

/* A person over the ceiling is a sign of a bad id somewhere; told of once, and of 64 people at most. */
static void tell_full(struct at_shop *shop, uint64_t person) {
    char id[AT_PERSON_ID_SIZE];
    if (!told_first(shop->full_people, person)) return;
    at_person_id_format(person, id);
    at_log(at_shop_log(shop), AT_LOG_WARN, "identity",
           "person %s has %d identifiers or %d merges and does not grow: does a page send the same id for "
           "everybody? attune identity explain %s",
           id, PERSON_IDENTIFIERS_MAX, PERSON_MERGES_MAX, id);
}

static void settle_identifiers(struct at_shop *shop, const struct resolved *who) {
    static const enum count_name counts[IDENTITY_REFUSALS] = {
        [IDENTITY_LIMIT] = COUNT_IDENTIFIERS_LIMIT,
        [IDENTITY_BARRED] = COUNT_IDENTIFIERS_BARRED,
        [IDENTITY_UNPROVEN] = COUNT_IDENTIFIERS_UNPROVEN,
        [IDENTITY_TOO_MANY] = COUNT_IDENTIFIERS_TOO_MANY};
    bool is_new = false;
    for (uint32_t i = 0; i < who->count; i++) {
        const struct resolved_identifier *one = &who->identifiers[i];
        is_new |= one->refusal == IDENTITY_TAKEN && !one->is_committed;
        if (one->refusal != IDENTITY_TAKEN) count_add(shop, counts[one->refusal], 1);
        if (one->refusal == IDENTITY_TOO_MANY) tell_full(shop, who->person);
    }
    if (is_new || who->link_count) identity_committed(&shop->identity, who);
}

struct given { /* to the learner, in the order of the log */
    struct learn_event *first, *last;
    uint64_t seq; /* of the next */
    uint32_t count;
};

static uint64_t give(struct given *given, struct learn_event **learned) {
    struct learn_event *event = *learned;
    *learned = NULL;
    event->seq = given->seq++;
    if (given->last)
        given->last->next = event;
    else
        given->first = event;
    given->last = event;
    given->count++;
    return event->seq;
}

static void settle(struct at_shop *shop, struct tracked *one, struct given *given) {
    uint64_t seq = 0;
    if (one->said_learned) seq = give(given, &one->said_learned);
    if (one->learned) seq = give(given, &one->learned);
    settle_identifiers(shop, &one->who);
    track_consent_count(shop, one);
    if (live_is_watched(shop) && !one->is_withheld) tell_live(shop, one, seq);
    one->state = one->is_withheld ? TRACKED_WITHHELD : one->is_conflict ? TRACKED_CONFLICT : TRACKED_ACCEPTED;
    messages_settle(shop, one->key, one->is_withheld ? 0 : seq); /* of what is not kept the id is not */
}

void track_done(struct at_unit *unit) {
    struct track *track = unit->arg;
    struct at_shop *shop = track->job->worker->shop;
    struct given given = {.seq = unit->first_seq};
    uint32_t i = 0;
    for (struct tracked *one; (one = round_next(track, &i));) settle(shop, one, &given);
    /* Before the holds: who takes one next finds the event given. */
    if (given.count) learn_give(shop, given.first, given.last, given.count);
    release_holds(track);
    if (given.count) learn_released(shop, given.seq - 1);
    track->status = AT_OK;
    worker_hop(track->job->worker, &track->hop);
}

void track_refuse(struct at_unit *unit) {
    struct track *track = unit->arg;
    line_refused(track);
    if (track->withheld) withheld_take_back(track);
    track_drop_build(track);
    release_holds(track);
    track->status = unit->status;
    worker_hop(track->job->worker, &track->hop);
}
