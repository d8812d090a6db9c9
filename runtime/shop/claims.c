/* SPDX-License-Identifier: Apache-2.0
 *
 * What counts once, whoever tells of it and however often: an order by its id, a refund by its own, and of a
 * signed source also that an order was cancelled and a checkout begun. A claim is a row that only one commit
 * can write. An order has other names besides its id: those are claimed too, in a kind of their own, and mean
 * the same order only within a week of each other, for numbers are short and another system may have counted
 * to them before. Which event is first does not decide what the order is: copies are joined when folded.
 */
#include <string.h>
#include "shop/track.h"

static const char *const order_kinds[] = {"order", "order_also", NULL};
static const char *const refund_kinds[] = {"refund", NULL};
static const char *const cancel_kinds[] = {"cancelled", NULL};
static const char *const checkout_kinds[] = {"checkout", NULL};

static void want(struct tracked *one, const char *const *kinds, struct at_text key) {
    if (!key.length) return;
    one->claim_kinds = kinds;
    one->claims[one->claim_count++] = (struct wanted_claim){.key = key};
}

/* Once a system vouches for money, a page's word is none: it has its products still. */
static bool is_hearsay(const struct track *track) {
    const struct at_settings *settings = track->job->worker->shop->settings;
    return settings->shopify.secret_count && !track->job->is_secret;
}

static void want_order(const struct track *track, struct tracked *one) {
    struct at_event *event = &one->event;
    if (!track->job->is_secret) { /* of which versions and names there are, the shop's own systems know */
        for (int i = 0; i < AT_ORDER_ALSO_MAX; i++) event->order_also[i].length = 0;
        event->order_updated_ms = 0;
    }
    if (is_hearsay(track)) {
        event->revenue = at_missing();
        event->is_hearsay = one->is_lost = true;
        return;
    }
    want(one, order_kinds, event->order_id);
    for (int i = 0; i < AT_ORDER_ALSO_MAX; i++) want(one, order_kinds, event->order_also[i]);
}

void claims_want(const struct track *track, struct tracked *one) {
    const struct at_event *event = &one->event;
    bool is_refund = at_text_is(event->name, "order_refunded") || event->refund_id.length,
         is_cancel = at_text_is(event->name, "order_cancelled");
    one->is_once = track->is_source;
    if (at_text_is(event->name, "order_completed")) {
        one->is_once = false;
        want_order(track, one);
    } else if ((is_refund || is_cancel) && is_hearsay(track))
        one->is_lost = true;
    else if (is_refund) /* one without an id of its own happens once for its order */
        want(one, refund_kinds, event->refund_id.length ? event->refund_id : event->order_id);
    else if (is_cancel && track->is_source)
        want(one, cancel_kinds, event->order_id);
    else if (at_text_is(event->name, "checkout_started") && track->is_source)
        want(one, checkout_kinds, at_json_text(at_json_get(event->properties, "checkout_id")));
}

/* A claim of that kind is there, made by an event of that moment. True: it is the same thing's. */
static bool meet(struct tracked *one, uint32_t at, uint32_t kind, int64_t at_ms) {
    int64_t apart = at_ms > one->event.at_ms ? at_ms - one->event.at_ms : one->event.at_ms - at_ms;
    bool is_first_name = at == 0 && kind == 0;
    one->claims[at].is_there[kind] = true;
    if (!is_first_name && apart > AT_ORDER_SAME_MS) return false;
    one->is_lost = true;
    return true;
}

static bool is_written(const struct tracked *one, uint32_t at, uint32_t kind) {
    return kind == (at && one->claim_kinds[1]) && !one->claims[at].is_there[kind];
}

static void meet_in_request(struct tracked *one, uint32_t at, const struct tracked *before) {
    for (uint32_t i = 0; i < before->claim_count; i++)
        for (uint32_t kind = 0; one->claim_kinds[kind]; kind++)
            if (is_written(before, i, kind) && at_text_equal(before->claims[i].key, one->claims[at].key) &&
                meet(one, at, kind, before->event.at_ms))
                one->first = before->first ? before->first : before;
}

void claims_within(struct track *track, struct tracked *one) {
    if (!one->claim_count) return;
    for (struct tracked *before = track->last_claiming; before; before = before->claiming_before)
        if (before != one && before->state == TRACKED_IN_ROUND && before->claim_kinds == one->claim_kinds)
            for (uint32_t at = 0; at < one->claim_count; at++) meet_in_request(one, at, before);
    if (one->is_claiming) return; /* chosen for an earlier round, which was stale */
    one->is_claiming = true;
    one->claiming_before = track->last_claiming;
    track->last_claiming = one;
}

enum at_status claims_look_up(struct at_reader *reader, struct tracked *one) {
    for (uint32_t at = 0; at < one->claim_count; at++)
        for (uint32_t kind = 0; one->claim_kinds[kind]; kind++) {
            struct at_claim found;
            enum at_status status =
                at_reader_claim(reader, at_text_of(one->claim_kinds[kind]), one->claims[at].key, &found);
            if (status == AT_NOTFOUND) continue;
            if (status != AT_OK) return status;
            if (meet(one, at, kind, found.at_ms)) one->first_source = found.source;
        }
    return AT_OK;
}

void claims_drop_copies(struct track *track) {
    uint32_t i = 0;
    for (struct tracked *one; (one = round_next(track, &i));) {
        if (!one->is_lost || !one->is_once) continue;
        one->state = TRACKED_DUPLICATE;
        one->message = "counted before";
        track->in_round--;
        messages_settle(track->job->worker->shop, one->key, 0);
    }
}

/* Whose the thing is: of its first event. */
static uint64_t source_of(const struct tracked *one) {
    if (!one->is_lost) return one->who.source;
    return one->first ? one->first->who.source : one->first_source;
}

enum at_status claims_write(struct track *track, struct tracked *one) {
    for (uint32_t at = 0; at < one->claim_count; at++)
        for (uint32_t kind = 0; one->claim_kinds[kind]; kind++) {
            if (one->claims[at].is_there[kind]) continue;
            struct at_claim claim = {at_text_of(one->claim_kinds[kind]), one->claims[at].key, one->who.person,
                                     source_of(one), one->event.at_ms};
            /* Not taken meanwhile under its other kind either: then this would be a copy. */
            struct at_expect *expect = at_unit_expect(&track->unit, track->job->arena, AT_EXPECT_NO_CLAIM);
            if (!expect) return AT_NOMEM;
            expect->claim = claim;
            if (!is_written(one, at, kind)) continue;
            struct at_write *write = at_unit_write(&track->unit, track->job->arena, AT_WRITE_CLAIM);
            if (!write) return AT_NOMEM;
            write->claim = claim;
        }
    return AT_OK;
}
