/* SPDX-License-Identifier: Apache-2.0
 *
 * Events in: the way of one request. Each round: whose message ids are new (look into the sealed runs where
 * the filter cannot say no) · which orders are taken · who they are about (merge first where two people turn
 * out to be one) · hold those people in ascending order · build the next snapshots and the unit · commit ·
 * let go. A message that another request has in flight is left for a round of its own, when this request owns
 * nothing, so nobody waits in a circle.
 *
 * Everything runs on the job's worker except what is said; a wait hops back to it.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "shop/track.h"

#define STALE_MAX       50
#define EXCLUSIVE_AFTER 3 /* stale so often in a row, it waits until nobody is before it */

static void begin_round(struct track *track);
static void find_people(struct track *track);
static void take_holds(struct track *track);

static void go_on(struct at_task *hop) {
    struct track *track = (struct track *)((char *)hop - offsetof(struct track, hop));
    track->then(track);
}

static void hop_to(struct track *track, void (*then)(struct track *track)) {
    track->then = then;
    track->hop.run = go_on;
    worker_hop(track->job->worker, &track->hop);
}

/* When the requests of its import that came before have their places. */
static void in_line(struct track *track, void (*then)(struct track *track)) {
    track->then = then;
    track->hop.run = go_on;
    if (line_is_turn(track)) then(track);
}

/* The request fails: its messages are free again. What earlier rounds committed stays and is a duplicate next
 * time. */
static void fail(struct track *track, enum at_status status) {
    struct at_shop *shop = track->job->worker->shop;
    uint32_t i = 0;
    for (struct tracked *one; (one = round_next(track, &i));) messages_settle(shop, one->key, 0);
    count_add(shop, COUNT_EVENTS_REFUSED, track->in_round);
    line_leave(track, status);
    if (status == AT_BUSY)
        at_fail(&track->job->err, status, "busy",
                "too much is waiting to be written: send it again in a moment");
    else if (status == AT_FULL)
        at_fail(&track->job->err, status, "disk_full",
                "the disk is full: nothing was taken, send it again later");
    else if (status == AT_NOMEM)
        at_fail(&track->job->err, status, NULL, "out of memory: nothing was taken, send it again later");
    else
        at_fail(&track->job->err, status, "storage",
                "the event could not be stored: nothing was taken, send it again later");
    job_end(track->job, status);
}

/* ---- message ids and claims on disk ---- */

static void look_up(struct at_read *read, struct at_reader *reader) { /* a reader thread */
    struct track *track = (struct track *)((char *)read - offsetof(struct track, read));
    track->status = AT_OK;
    for (uint32_t i = 0; i < track->count && track->status == AT_OK; i++) {
        struct tracked *one = &track->events[i];
        if (one->must_ask) {
            struct at_message_row row;
            enum at_status status = at_reader_message(reader, one->key, &row);
            one->must_ask = false;
            one->was_asked = true;
            one->is_known = status == AT_OK;
            one->is_known_other = one->is_known && row.payload_hash != one->payload;
            if (status != AT_OK && status != AT_NOTFOUND) track->status = status;
        }
        if (one->state == TRACKED_IN_ROUND && track->status == AT_OK)
            track->status = claims_look_up(reader, one);
    }
    worker_hop(track->job->worker, &track->hop);
}

static void look_up_then(struct track *track, void (*then)(struct track *track)) {
    track->then = then;
    track->hop.run = go_on;
    track->read.run = look_up;
    at_store_read(track->job->worker->shop->store, &track->read);
}

static void looked_up_messages(struct track *track) {
    if (track->status != AT_OK)
        fail(track, track->status);
    else
        begin_round(track);
}

static void looked_up_claims(struct track *track) {
    if (track->status != AT_OK) return fail(track, track->status);
    claims_drop_copies(track);
    if (track->in_round)
        find_people(track);
    else
        begin_round(track); /* what waited, or the answer */
}

static void message_ready(struct message_wait *wait) { /* any thread */
    struct track *track = wait->arg;
    hop_to(track, begin_round);
}

/* It is kept for the record: under an id of its own, so that it is kept once however often it is sent; of
 * whom it names first, so that it makes no two people one; without a claim on an order. */
static void become_conflict(struct tracked *one) {
    one->is_conflict = true;
    one->message =
        "another event with this messageId was accepted before; this one counts nowhere, the timeline "
        "shows it as a conflict";
    one->key = at_mix64(one->key ^ one->payload);
    if (!one->key) one->key = 1;
    one->must_ask = one->was_asked = one->is_known = false;
    one->claim_count = 0;
    one->event.identifier_count = 1;
}

static enum message_known look_at(struct at_shop *shop, const struct tracked *one) {
    if (one->is_known) return one->is_known_other ? MESSAGE_OTHER : MESSAGE_SAME;
    return messages_claim(shop, one->key, one->payload, one->was_asked, NULL);
}

static void mark_known(struct tracked *one) {
    one->state = one->is_conflict ? TRACKED_CONFLICT : TRACKED_DUPLICATE;
    if (!one->is_conflict) one->message = "already accepted";
}

/* Which events are in this round. Returns how many wait for another request; *asks: some must be looked up
 * first. */
static uint32_t choose(struct track *track, bool *asks, bool *claims, bool *is_short) {
    struct at_shop *shop = track->job->worker->shop;
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < track->count; i++) {
        struct tracked *one = &track->events[i];
        if (one->state != TRACKED_PENDING) continue;
        enum message_known known = look_at(shop, one);
        if (known == MESSAGE_OTHER && !one->is_conflict) {
            become_conflict(one);
            known = look_at(shop, one);
        }
        if (known == MESSAGE_NEW) {
            one->state = TRACKED_IN_ROUND;
            track->in_round++;
            claims_within(track, one);
            *claims |= one->claim_count > 0;
        } else if (known == MESSAGE_IN_FLIGHT)
            waiting++;
        else if (known == MESSAGE_ASK)
            *asks = one->must_ask = true;
        else if (known == MESSAGE_NOMEM)
            *is_short = true;
        else
            mark_known(one);
    }
    return waiting;
}

/* Twice in one request is "in flight" by itself: then the first round owns it and the second finds it
 * settled. */
static void wait_for_one(struct track *track) {
    struct at_shop *shop = track->job->worker->shop;
    for (uint32_t i = 0; i < track->count; i++) {
        struct tracked *one = &track->events[i];
        if (one->state != TRACKED_PENDING) continue;
        track->message_wait = (struct message_wait){.ready = message_ready, .arg = track};
        enum message_known known =
            messages_claim(shop, one->key, one->payload, one->was_asked, &track->message_wait);
        if (known == MESSAGE_IN_FLIGHT) return;
        if (known == MESSAGE_NEW) messages_settle(shop, one->key, 0); /* free meanwhile: the round takes it */
        begin_round(track);
        return;
    }
}

static void marked(struct track *track) {
    if (track->status == AT_OK)
        track_answer(track);
    else
        fail(track, track->status);
}

/* A mark that no unit carried goes by itself. */
static void finish(struct track *track) {
    if (!track->mark.name.length || track->mark.is_written) return track_answer(track);
    track->then = marked;
    track->hop.run = go_on;
    enum at_status status = track_mark_commit(track);
    if (status != AT_OK) fail(track, status);
}

static void begin_round(struct track *track) {
    bool asks = false, claims = false, is_short = false;
    uint32_t waiting = choose(track, &asks, &claims, &is_short);
    if (is_short)
        fail(track, AT_NOMEM);
    else if (asks)
        look_up_then(track, looked_up_messages);
    else if (!track->in_round && waiting)
        wait_for_one(track);
    else if (!track->in_round)
        finish(track);
    else if (claims)
        look_up_then(track, looked_up_claims);
    else
        find_people(track);
}

/* ---- people ---- */

static void let_go(struct track *track) {
    for (uint32_t i = 0; i < track->hold_count; i++) {
        struct hold *hold = &track->holds[i];
        if (hold->wait.profile) at_profile_unref(hold->wait.profile);
        hold->wait.profile = NULL;
        if (hold->is_held) people_release(track->job->worker->shop, hold->wait.person, NULL);
        hold->is_held = false;
    }
    track->hold_count = track->held = 0;
}

static void merge(struct back_task *task) { /* the back worker */
    struct track *track = (struct track *)((char *)task - offsetof(struct track, back));
    track->status = merge_people(track->job->worker->shop, &track->evidence);
    worker_hop(track->job->worker, &track->hop);
}

static void merged(struct track *track) {
    if (track->status != AT_OK)
        fail(track, track->status);
    else
        find_people(track);
}

static int by_person(const void *a, const void *b) {
    uint64_t x = ((const struct hold *)a)->person, y = ((const struct hold *)b)->person;
    return x < y ? -1 : x > y;
}

/* Ascending and distinct, so that requests never hold in a circle. */
static bool list_people(struct track *track) {
    uint32_t i = 0, n = 0;
    track->holds = at_arena_zalloc(track->job->arena, track->in_round * sizeof *track->holds);
    if (!track->holds) return false;
    for (struct tracked *one; (one = round_next(track, &i));)
        if (one->who.person)
            track->holds[n++] = (struct hold){.person = one->who.person, .is_new = one->who.is_new};
    if (n > 1) qsort(track->holds, n, sizeof *track->holds, by_person);
    for (uint32_t j = 0; j < n; j++) {
        struct hold *last = track->hold_count ? &track->holds[track->hold_count - 1] : NULL;
        if (last && last->person == track->holds[j].person)
            last->is_new |= track->holds[j].is_new;
        else
            track->holds[track->hold_count++] = track->holds[j];
    }
    i = 0;
    for (struct tracked *one; (one = round_next(track, &i));) {
        struct hold key = {.person = one->who.person};
        one->hold = bsearch(&key, track->holds, track->hold_count, sizeof key, by_person);
    }
    return true;
}

/* What a platform tells of an order is about who placed it, then, however late it tells of it: its customer
 * did not come back with the parcel. */
static bool is_of_forgotten_order(struct track *track) {
    struct forgotten *forgotten = &track->job->worker->shop->forgotten;
    for (uint32_t i = 0; track->is_source && i < track->count; i++)
        if (at_text_is(track->events[i].event.name, "order_completed") &&
            forgotten_holds(forgotten, &track->events[i].event))
            return true;
    return false;
}

/* Somebody who was erased since it happened: it is not taken in again. */
static bool is_forgotten(struct track *track, struct tracked *one) {
    if (!forgotten_holds(&track->job->worker->shop->forgotten, &one->event) && !is_of_forgotten_order(track))
        return false;
    track_withhold(one, "of somebody who was erased since: it is not taken in again");
    count_add(track->job->worker->shop, COUNT_EVENTS_FORGOTTEN, 1);
    return true;
}

static void find_people(struct track *track) {
    struct at_shop *shop = track->job->worker->shop;
    uint32_t i = 0;
    track->hold_count = track->held = 0;
    track->version = atomic_load(&shop->identity.version);
    for (struct tracked *one; (one = round_next(track, &i));) {
        if (is_forgotten(track, one) || track_consent_is_stranger(track, one)) continue;
        enum at_status status =
            identity_resolve(&shop->identity, &one->event, one->is_proven, track->job->arena, &one->who);
        if (status != AT_OK) return fail(track, status);
        if (!one->who.join_a) continue;
        track->evidence = (struct evidence){one->who.join_a,
                                            one->who.join_b,
                                            one->event.at_ms,
                                            one->is_proven,
                                            at_text_of(track->job->source),
                                            one->event.message_id,
                                            one->event.name};
        track->then = merged;
        track->hop.run = go_on;
        track->back.run = merge;
        back_post(shop, &track->back);
        return;
    }
    if (!list_people(track)) return fail(track, AT_NOMEM);
    take_holds(track);
}

static void hold_taken(struct track *track);

static void hold_ready(struct person_wait *wait) { /* any thread */
    hop_to(wait->arg, hold_taken);
}

static void build_again(struct track *track);
static void commit(struct track *track);

static void take_holds(struct track *track) {
    while (track->held < track->hold_count) {
        struct hold *hold = &track->holds[track->held];
        hold->wait = (struct person_wait){
            .wants_hold = true, .wants_quiet = track->is_exclusive, .ready = hold_ready, .arg = track};
        if (!people_get(track->job->worker->shop, hold->person, hold->is_new, &hold->wait)) return;
        if (hold->wait.status != AT_OK) return hold_taken(track);
        hold->is_held = true;
        track->held++;
    }
    commit(track);
}

static void hold_taken(struct track *track) {
    struct hold *hold = &track->holds[track->held];
    enum at_status status = hold->wait.status;
    if (status == AT_OK) {
        hold->is_held = true;
        track->held++;
        take_holds(track);
        return;
    }
    let_go(track);
    if (status == AT_STALE)
        find_people(track);
    else
        fail(track, status);
}

/* ---- the commit ---- */

static void build_again(struct track *track) {
    if (track->place.cut != AT_OK) return fail(track, track->place.cut);
    bool claims = false;
    uint32_t i = 0;
    for (struct tracked *one; (one = round_next(track, &i));) claims |= one->claim_count > 0;
    if (claims)
        look_up_then(track, looked_up_claims);
    else
        find_people(track);
}

static void committed(struct track *track) {
    enum at_status status = track->status;
    let_go(track);
    track->in_round = status == AT_OK ? 0 : track->in_round;
    if (status == AT_OK)
        begin_round(track); /* what waited, or the answer */
    else if (status == AT_STALE && ++track->stale_runs < STALE_MAX) {
        track->is_exclusive = track->stale_runs >= EXCLUSIVE_AFTER;
        line_back(track);
        in_line(track, build_again);
    } else
        fail(track, status == AT_STALE ? AT_BUSY : status);
}

/* In the queue the unit has its place before all that is built on it: others may go on. */
static enum at_status enqueue(struct track *track) {
    struct at_shop *shop = track->job->worker->shop;
    for (uint32_t i = 0; i < track->hold_count && !track->is_exclusive; i++)
        people_publish(&track->holds[i].wait, track->holds[i].next);
    enum at_status status = at_store_commit(shop->store, &track->unit);
    for (uint32_t i = 0; i < track->hold_count; i++) {
        struct hold *hold = &track->holds[i];
        if (status != AT_OK && !track->is_exclusive) people_withdraw(&hold->wait);
        if (status != AT_OK) continue;
        if (!track->is_exclusive) people_release(shop, hold->wait.person, NULL);
        hold->is_held = false; /* of an exclusive one the commit gives it back */
    }
    return status;
}

static void commit(struct track *track) {
    struct at_shop *shop = track->job->worker->shop;
    bool is_turn = line_is_turn(track);
    if (!is_turn || track->place.cut != AT_OK) { /* one before it was refused meanwhile, or failed */
        let_go(track);
        if (is_turn) return fail(track, track->place.cut);
        track->then = build_again;
        track->hop.run = go_on;
        return;
    }
    if (track->version != atomic_load(&shop->identity.version)) { /* somebody may have become somebody else */
        let_go(track);
        find_people(track);
        return;
    }
    enum at_status status = track_build(track);
    if (status == AT_OK) {
        track->then = committed;
        track->hop.run = go_on;
        worker_in_turn(track->job->worker);
        status = enqueue(track);
        if (status == AT_OK && track_is_last_round(track)) line_placed(track);
        if (status == AT_OK) return;
    }
    track_drop_build(track);
    let_go(track);
    fail(track, status);
}

static void pressed(struct track *track) {
    if (track->status == AT_OK)
        begin_round(track);
    else
        fail(track, track->status);
}

static void take(struct at_job *job, const char *type, struct at_json body, bool is_import, bool is_source) {
    struct track *track = at_arena_zalloc(job->arena, sizeof *track);
    if (!track) {
        at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
        return job_end(job, AT_NOMEM);
    }
    track->job = job;
    track->is_source = is_source;
    enum at_status status = track_parse(track, type, body, is_import);
    if (status != AT_OK) return job_end(job, status);
    track_start(track);
}

void at_shop_track(struct at_job *job, const char *type, struct at_json body, bool is_import) {
    take(job, type, body, is_import, false);
}

void track_from_source(struct at_job *job, struct at_json batch) {
    take(job, NULL, batch, true, true);
}

static void start(struct track *track) {
    if (track->place.cut != AT_OK) return fail(track, track->place.cut);
    if (!pressure_is_on(track->job->worker->shop)) return begin_round(track);
    track->then = pressed;
    track->hop.run = go_on;
    pressure_wait(track);
}

void track_start(struct track *track) {
    if (track->job->has_gpc) count_add(track->job->worker->shop, COUNT_GPC, 1);
    enum at_status status = line_enter(track);
    if (status == AT_OK)
        in_line(track, start);
    else
        fail(track, status);
}
