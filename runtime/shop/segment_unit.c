/* SPDX-License-Identifier: Apache-2.0
 *
 * Who enters and leaves, written: some people at a time are held, looked at again on the snapshot that the
 * next write builds on, and what differs becomes one unit of the front lane with their events, memberships
 * and dues. The back worker builds and waits; the outcome comes on the commit thread.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "shop/segments.h"

#define STALE_MAX 20

struct held { /* one person of the unit */
    struct looked *one;
    struct person_wait wait;
    struct at_profile *next; /* what it will be; NULL: nothing is written of it */
    uint64_t source;         /* identifier its events belong to */
    uint32_t last_event;     /* of the unit's: the person's last */
    bool is_held, has_rows, is_skipped;
};
struct writing {
    struct segments *segments;
    struct at_unit unit;
    struct held *held;
    uint32_t count;
    struct learn_event *first, *last; /* to the learner, in the order of the log */
    uint32_t event_count;
    struct at_latch over;
};

/* ---- holds ---- */

static enum at_status hold(struct writing *writing, struct held *held) {
    struct at_shop *shop = writing->segments->shop;
    people_offer(shop, held->one->profile);
    held->wait = (struct person_wait){.wants_hold = true};
    enum at_status status = people_get_now(shop, held->one->person, false, &held->wait);
    held->is_held = status == AT_OK;
    return status;
}

static void let_go(struct writing *writing, struct held *held) {
    if (held->is_held) people_release(writing->segments->shop, held->wait.person, NULL);
    held->is_held = false;
}

/* ---- what is written of one ---- */

/* The oldest that still leads to the person: its event belongs to it for ever. 0: none does. */
static uint64_t source_of(struct segments *segments, const struct at_profile *profile) {
    struct identity *identity = &segments->shop->identity;
    for (uint32_t i = 0; i < profile->identifier_count; i++) {
        const struct at_known_identifier *one = &profile->identifiers[i];
        if (identity_find(identity, one->kind, one->value) == profile->person)
            return identity_source(identity, one->kind, one->value);
    }
    return 0;
}

static bool keep(struct at_arena *arena, struct at_bytes *bytes, struct at_text *out) {
    if (bytes->failed) return false;
    *out = at_json_padded(arena, (struct at_text){bytes->data, bytes->length});
    return out->data != NULL;
}

static bool write_texts(struct segments *segments, const struct transition *move, struct at_event_row *row) {
    struct at_bytes bytes;
    at_bytes_init(&bytes, AT_EVENT_BYTES_MAX);
    struct at_json_out out = at_json_out(&bytes);
    at_json_open(&out, '{');
    at_json_add_text(&out, "segment", move->segment);
    at_json_close(&out, '}');
    bool is_ok = keep(&segments->arena, &bytes, &row->facts);
    at_bytes_reset(&bytes);
    out = at_json_out(&bytes);
    at_json_open(&out, '{');
    at_json_add_string(&out, "type", "track");
    at_json_add_string(&out, "event", move->is_entry ? "Segment Entered" : "Segment Left");
    at_json_key(&out, "properties");
    at_json_open(&out, '{');
    at_json_add_text(&out, "segment", move->segment);
    at_json_close(&out, '}');
    at_json_add_time(&out, "timestamp", row->at_ms);
    at_json_add_time(&out, "receivedAt", row->received_ms);
    at_json_close(&out, '}');
    is_ok = is_ok && keep(&segments->arena, &bytes, &row->body);
    at_bytes_clear(&bytes);
    return is_ok;
}

static enum at_status fold_in(struct segments *segments, struct held *held, const struct at_event_row *row) {
    bool is_private = held->next != NULL;
    struct at_profile *base = is_private ? held->next : held->wait.profile;
    struct at_logged_event logged = {.seq = base->applied_seq + 1, /* its place is put right later */
                                     .at_ms = row->at_ms,
                                     .received_ms = row->received_ms,
                                     .name = row->name,
                                     .message_id = row->message_id};
    enum at_status status =
        at_json_parse(segments->facts, row->facts.data, row->facts.length, true, &logged.facts, NULL);
    if (status == AT_OK)
        status = at_json_parse(segments->body, row->body.data, row->body.length, true, &logged.body, NULL);
    if (status != AT_OK) return AT_NOMEM;
    held->next = NULL;
    held->next = at_profile_apply(base, &logged, is_private);
    held->has_rows = held->next != NULL;
    return held->next ? AT_OK : AT_NOMEM;
}

static enum at_status learn(struct writing *writing, const struct held *held,
                            const struct at_event_row *row) {
    struct learn_event *learned = calloc(1, sizeof *learned + AT_JSON_PADDING);
    if (!learned) return AT_NOMEM;
    learned->source = row->source;
    learned->person = held->one->person;
    learned->at_ms = row->at_ms;
    memcpy(learned->name, row->name.data, row->name.length);
    if (writing->last)
        writing->last->next = learned;
    else
        writing->first = learned;
    writing->last = learned;
    writing->event_count++;
    return AT_OK;
}

static enum at_status add_event(struct writing *writing, struct held *held, const struct transition *move) {
    struct segments *segments = writing->segments;
    struct at_write *write = at_unit_write(&writing->unit, &segments->arena, AT_WRITE_EVENT);
    char *id = at_arena_alloc(&segments->arena, AT_ULID_SIZE);
    if (!write || !id) return AT_NOMEM;
    at_ulid(at_shop_now(segments->shop), id);
    struct at_event_row *row = &write->event;
    *row = (struct at_event_row){.source = held->source,
                                 .at_ms = move->at_ms,
                                 .received_ms = at_shop_now(segments->shop),
                                 .origin = AT_TEXT("attune"),
                                 .message_id = at_text_of(id),
                                 .message_key = at_hash64(id, strlen(id)) | 1};
    row->name = move->is_entry ? AT_TEXT(AT_EVENT_SEGMENT_ENTERED) : AT_TEXT(AT_EVENT_SEGMENT_LEFT);
    if (!write_texts(segments, move, row)) return AT_NOMEM;
    writing->unit.bytes += row->body.length + row->facts.length + 200;
    held->last_event = writing->event_count;
    enum at_status status = fold_in(segments, held, row);
    return status == AT_OK ? learn(writing, held, row) : status;
}

static enum at_status add_membership(struct writing *writing, const struct held *held,
                                     const struct transition *move) {
    struct at_write *write = at_unit_write(&writing->unit, &writing->segments->arena,
                                           move->is_entry ? AT_WRITE_MEMBER : AT_WRITE_MEMBER_GONE);
    if (!write) return AT_NOMEM;
    write->member = (struct at_member_row){held->one->person, move->segment, move->at_ms};
    writing->unit.bytes += 100;
    return AT_OK;
}

static enum at_status add_due(struct writing *writing, const struct held *held) {
    struct at_write *write = at_unit_write(&writing->unit, &writing->segments->arena, AT_WRITE_DUE);
    if (!write) return AT_NOMEM;
    write->due = (struct at_due_row){held->one->person, held->one->due_ms};
    return AT_OK;
}

/* The snapshot the next write builds on decides, not the one it was noticed on. */
static enum at_status build_one(struct writing *writing, struct held *held) {
    struct looked *one = held->one;
    at_profile_unref(one->profile);
    one->profile = at_profile_ref(held->wait.profile);
    enum at_status status = segments_look(writing->segments, one);
    if (status != AT_OK) return status;
    held->source = one->is_analysed ? source_of(writing->segments, one->profile) : 0;
    /* none of its identifiers leads to it: it is being joined or taken apart */
    held->is_skipped = one->is_analysed && one->move_count && !held->source;
    for (uint32_t i = 0; i < one->move_count && status == AT_OK && !held->is_skipped; i++) {
        if (one->is_analysed) status = add_event(writing, held, &one->moves[i]);
        if (status == AT_OK) status = add_membership(writing, held, &one->moves[i]);
    }
    return status == AT_OK && !held->is_skipped ? add_due(writing, held) : status;
}

/* ---- the outcome: on the commit thread ---- */

static void set_places(struct at_unit *unit) {
    struct writing *writing = unit->arg;
    for (uint32_t i = 0; i < writing->count; i++)
        if (writing->held[i].has_rows)
            writing->held[i].next->applied_seq = unit->first_seq + writing->held[i].last_event;
}

static bool accept(struct at_unit *unit) {
    struct writing *writing = unit->arg;
    for (uint32_t i = 0; i < writing->count; i++)
        if (!people_accept(&writing->held[i].wait, writing->held[i].next)) return false;
    return true;
}

static void tell_live(struct at_shop *shop, const struct at_event_row *row) {
    struct at_bytes bytes;
    at_bytes_init(&bytes, 4096);
    struct at_json_out out = at_json_out(&bytes);
    at_json_open(&out, '{');
    at_json_add_int(&out, "seq", (int64_t)row->seq);
    at_json_add_text(&out, "name", row->name);
    at_json_add_time(&out, "timestamp", row->at_ms);
    at_json_key(&out, "properties");
    at_json_put_raw(&out, row->facts.data, row->facts.length);
    at_json_close(&out, '}');
    if (!bytes.failed) live_send(shop, "event", (struct at_text){bytes.data, bytes.length});
    at_bytes_clear(&bytes);
}

static void done(struct at_unit *unit) {
    struct writing *writing = unit->arg;
    struct at_shop *shop = writing->segments->shop;
    uint64_t seq = unit->first_seq;
    for (struct learn_event *event = writing->first; event; event = event->next) event->seq = seq++;
    for (const struct at_write *write = unit->writes; write && live_is_watched(shop); write = write->next)
        if (write->kind == AT_WRITE_EVENT) tell_live(shop, &write->event);
    /* Before the holds: who takes one next finds the event given. */
    if (writing->first) learn_give(shop, writing->first, writing->last, writing->event_count);
    for (uint32_t i = 0; i < writing->count; i++)
        people_settle_unit(shop, &writing->held[i].wait, writing->held[i].next);
    if (writing->first) learn_released(shop, seq - 1);
    unit->status = AT_OK;
    at_latch_open(&writing->over);
}

static void refuse(struct at_unit *unit) {
    struct writing *writing = unit->arg;
    for (uint32_t i = 0; i < writing->count; i++) {
        struct held *held = &writing->held[i];
        people_settle_unit(writing->segments->shop, &held->wait, NULL);
        at_profile_unref(held->next);
    }
    at_latch_open(&writing->over);
}

/* ---- the way ---- */

static void drop_events(struct writing *writing) {
    while (writing->first) {
        struct learn_event *next = writing->first->next;
        free(writing->first);
        writing->first = next;
    }
}

/* As track.c: in the queue the unit has its place before all that is built on it. */
static enum at_status commit(struct writing *writing) {
    struct at_shop *shop = writing->segments->shop;
    at_latch_init(&writing->over);
    for (uint32_t i = 0; i < writing->count; i++)
        people_publish(&writing->held[i].wait, writing->held[i].next);
    enum at_status status = at_store_commit(shop->store, &writing->unit);
    for (uint32_t i = 0; i < writing->count; i++) {
        if (status != AT_OK) people_withdraw(&writing->held[i].wait);
        let_go(writing, &writing->held[i]);
    }
    if (status == AT_OK) {
        at_latch_wait(&writing->over);
        status = writing->unit.status;
    } else
        for (uint32_t i = 0; i < writing->count; i++) at_profile_unref(writing->held[i].next);
    at_latch_clear(&writing->over);
    if (status != AT_OK && writing->first) drop_events(writing);
    return status;
}

static void give_up(struct looked *one) {
    at_profile_unref(one->profile);
    one->profile = NULL;
    one->person = 0;
}

/* Of whom nothing can be written now is looked at in a while. */
static void leave_others(struct writing *writing) {
    struct segments *segments = writing->segments;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < writing->count; i++) {
        struct held *held = &writing->held[i];
        if (!held->is_skipped) {
            if (!held->next) held->next = at_profile_ref(held->wait.profile);
            writing->held[kept++] = *held;
            continue;
        }
        let_go(writing, held);
        at_profile_unref(held->wait.profile);
        segments_due(segments, held->one->person, at_shop_now(segments->shop) + AT_HOUR_MS);
        give_up(held->one);
    }
    writing->count = kept;
}

static void abandon(struct writing *writing) {
    for (uint32_t i = 0; i < writing->count; i++) {
        struct held *held = &writing->held[i];
        let_go(writing, held);
        if (held->next) at_profile_unref(held->next);
        at_profile_unref(held->wait.profile);
    }
    drop_events(writing);
}

static void count_moves(struct segments *segments, const struct looked *one) {
    for (uint32_t i = 0; i < one->move_count; i++) {
        struct segment_stat *stat = segment_stat(segments, one->moves[i].segment);
        bool is_entry = one->moves[i].is_entry;
        count_add(segments->shop, is_entry ? COUNT_SEGMENT_ENTERED : COUNT_SEGMENT_LEFT, 1);
        segments->members += is_entry ? 1 : (uint64_t)-1;
        if (stat) stat->members += is_entry ? 1 : (uint64_t)-1;
    }
}

static void settle(struct writing *writing) {
    struct segments *segments = writing->segments;
    for (uint32_t i = 0; i < writing->count; i++) {
        struct looked *one = writing->held[i].one;
        count_moves(segments, one);
        at_intmap_remove(&segments->dues, one->person);
        if (one->due_ms < segments->next_due_ms) segments->next_due_ms = one->due_ms;
        at_profile_unref(writing->held[i].wait.profile);
        give_up(one);
    }
}

/* Ascending, so that with requests, which hold in this order too, nobody waits in a circle. */
static enum at_status write_once(struct writing *writing, struct looked *ones, uint32_t count) {
    enum at_status status = AT_OK;
    writing->unit = (struct at_unit){.is_retriable = true,
                                     .sequenced = set_places,
                                     .is_current = accept,
                                     .done = done,
                                     .refuse = refuse,
                                     .arg = writing};
    for (uint32_t i = 0; i < count && status == AT_OK; i++) {
        if (!ones[i].person || !ones[i].move_count) continue;
        struct held *held = &writing->held[writing->count];
        *held = (struct held){.one = &ones[i]};
        status = hold(writing, held);
        if (status == AT_STALE) { /* merged away: the survivor is due */
            give_up(&ones[i]);
            status = AT_OK;
            continue;
        }
        if (status != AT_OK) break;
        writing->count++;
        status = build_one(writing, held);
    }
    if (status == AT_OK) leave_others(writing);
    if (status != AT_OK || !writing->count) {
        abandon(writing);
        return status;
    }
    status = commit(writing);
    if (status == AT_OK) {
        settle(writing);
        return AT_OK;
    }
    for (uint32_t i = 0; i < writing->count; i++) at_profile_unref(writing->held[i].wait.profile);
    return status;
}

enum at_status segments_write(struct segments *segments, struct looked *ones, uint32_t count) {
    enum at_status status = AT_STALE;
    for (int i = 0; i < STALE_MAX && status == AT_STALE; i++) {
        struct writing writing = {.segments = segments};
        writing.held = at_arena_alloc(&segments->arena, (count + 1) * sizeof *writing.held);
        status = writing.held ? write_once(&writing, ones, count) : AT_NOMEM;
    }
    return status;
}

/* ---- who was erased ---- */

void segments_forget(struct at_shop *shop, uint64_t person, const struct at_shown_segment *were,
                     uint32_t count) {
    struct segments *segments = shop->segments;
    for (uint32_t i = 0; i < count; i++) {
        struct segment_stat *stat = segment_stat(segments, were[i].name);
        if (!stat) continue;
        stat->members--;
        segments->members--;
    }
    at_intmap_remove(&segments->dues, person);
    at_intmap_remove(&segments->changed, person);
}
