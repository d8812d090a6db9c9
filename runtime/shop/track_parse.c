/* SPDX-License-Identifier: Apache-2.0
 *
 * A request with events: what it holds, what is wrong with it, and its answer.
 */
#include <string.h>
#include "base/hash.h"
#include "profile/stated.h"
#include "shop/track.h"

static uint64_t key_of(const char *source, struct at_text message_id) {
    uint64_t key = at_hash64_seed(message_id.data, message_id.length, at_hash64(source, strlen(source)));
    return key ? key : 1;
}

/* "proof": hex HMAC-SHA256(secret key, user_id), made by the shop's server, beside the event or in its
 * context. What comes with a secret key needs none. */
static bool is_proven(const struct at_job *job, const struct at_event *event) {
    const struct at_settings *settings = job->worker->shop->settings;
    struct at_text proof = at_json_text(at_json_get(event->json, "proof"));
    if (!proof.length) proof = at_json_text(at_json_get(event->context, "proof"));
    if (job->is_secret || !proof.length || !event->user_id.length) return job->is_secret;
    bool is_right = false;
    for (uint32_t i = 0; i < settings->key_count; i++) {
        uint8_t digest[AT_SHA256_SIZE];
        char hex[2 * AT_SHA256_SIZE + 1];
        const struct at_key *key = &settings->keys[i];
        if (!key->is_secret) continue;
        at_hmac_sha256(key->value.data, key->value.length, event->user_id.data, event->user_id.length,
                       digest);
        at_hex(digest, sizeof digest, hex);
        is_right |= at_equal_secret(proof.data, proof.length, hex, sizeof hex - 1);
    }
    return is_right;
}

static bool is_too_big(struct at_json json) {
    struct at_bytes bytes;
    if (at_json_most_bytes(json) <= AT_EVENT_BYTES_MAX) return false;
    at_bytes_init(&bytes, AT_EVENT_BYTES_MAX);
    struct at_json_out out = at_json_out(&bytes);
    at_json_put_value(&out, json);
    bool is_over = bytes.failed;
    at_bytes_clear(&bytes);
    return is_over;
}

struct parsing {
    struct track *track;
    const struct at_event_defaults *defaults;
    struct at_root *root;
    struct at_error *err;
};

/* The shop's own systems may state a consent as an event, with when it was given. */
static enum at_status read_statement(struct parsing *parsing, struct tracked *one) {
    struct at_job *job = parsing->track->job;
    bool is_statement = job->is_secret && at_text_is(one->event.name, "consent_updated") &&
                        at_json_get(one->event.properties, "purpose").tape;
    if (!is_statement) return AT_OK;
    struct at_consent_statement *said = at_arena_zalloc(job->arena, sizeof *said);
    if (!said) return AT_NOMEM;
    enum at_status status =
        consent_read(one->event.properties, parsing->defaults->received_ms, said, &one->proof, parsing->err);
    if (status != AT_OK) return AT_INVALID;
    one->given = said;
    one->event.at_ms = said->at_ms;
    return AT_OK;
}

/* Of all traits that the fold will take from it. */
static enum at_status read_stated(struct parsing *parsing, struct tracked *one) {
    struct at_arena *arena = parsing->track->job->arena;
    const struct at_event *event = &one->event;
    const char *other = NULL;
    struct at_json about = at_json_get(event->context, "traits");
    enum at_status status = AT_OK;
    if (at_text_is(event->name, "identified"))
        status = at_stated_notice(arena, event->traits, parsing->root, &one->stated);
    if (status == AT_OK) status = at_stated_notice(arena, about, parsing->root, &other);
    if (!one->stated) one->stated = other;
    if (one->stated && other && one->stated != other)
        one->stated = at_arena_printf(arena, "%s; context.%s", one->stated, other);
    return status == AT_OK && other && !one->stated ? AT_NOMEM : status;
}

/* AT_INVALID and err: that event is not one. AT_NOMEM: the request fails. */
static enum at_status parse_one(struct parsing *parsing, struct at_json json, struct tracked *one) {
    struct at_arena *arena = parsing->track->job->arena;
    if (is_too_big(json))
        return at_fail(parsing->err, AT_INVALID, "event_too_big",
                       "an event may have %d KiB, this one is larger", AT_EVENT_BYTES_MAX / 1024);
    enum at_status status =
        at_event_parse(arena, json, parsing->defaults, parsing->root, &one->event, parsing->err);
    if (status != AT_OK) return status;
    if (!one->event.message_id.length) {
        char id[AT_ULID_SIZE];
        at_ulid(parsing->defaults->received_ms, id);
        char *kept = at_arena_dup(arena, id, sizeof id - 1);
        if (!kept) return AT_NOMEM;
        one->event.message_id = (struct at_text){kept, sizeof id - 1};
    }
    one->key = key_of(parsing->track->job->source, one->event.message_id);
    one->payload = at_event_payload(&one->event);
    one->is_proven = is_proven(parsing->track->job, &one->event);
    one->event.is_unproven = !one->is_proven && one->event.identifier_count > 1;
    claims_want(parsing->track, one);
    status = read_stated(parsing, one);
    return status == AT_OK ? read_statement(parsing, one) : status;
}

static enum at_status parse_batch(struct parsing *parsing, struct at_json batch) {
    struct track *track = parsing->track;
    struct at_error err = {0};
    parsing->err = &err;
    struct at_json_each it = at_json_each(batch);
    for (uint32_t i = 0; at_json_next(&it); i++) {
        enum at_status status = parse_one(parsing, it.value, &track->events[i]);
        if (status == AT_NOMEM) return status;
        if (status == AT_OK) continue;
        track->events[i].state = TRACKED_INVALID;
        track->events[i].message = at_arena_printf(track->job->arena, "%s", err.message);
    }
    return AT_OK;
}

static enum at_status parse_request(struct parsing *parsing, const char *type, struct at_json body,
                                    struct at_event_defaults *defaults) {
    struct track *track = parsing->track;
    struct at_json batch = at_json_get(body, "batch");
    track->is_batch = type == NULL;
    if (!at_json_is_object(body))
        return at_fail(parsing->err, AT_INVALID, "not_an_object", "send one JSON object");
    if (track->is_batch && !at_json_is_array(batch))
        return at_fail_field(parsing->err, AT_INVALID, "no_batch", "batch",
                             "a batch is {\"batch\":[event, …]}");
    track->count = track->is_batch ? at_json_count(batch) : 1;
    if (track->count > AT_BATCH_EVENTS_MAX)
        return at_fail_field(parsing->err, AT_TOOBIG, "too_many_events", "batch",
                             "a batch may have %d events, this one has %u: send it in parts",
                             AT_BATCH_EVENTS_MAX, track->count);
    track->events = at_arena_zalloc(track->job->arena, (track->count + 1) * sizeof *track->events);
    if (!track->events) return at_fail(parsing->err, AT_NOMEM, NULL, "out of memory");
    if (!track->is_batch) {
        defaults->type = at_text_of(type);
        return parse_one(parsing, body, &track->events[0]);
    }
    defaults->context = at_json_get(body, "context");
    defaults->sent_at = at_json_get(body, "sentAt");
    return parse_batch(parsing, batch);
}

enum at_status track_parse(struct track *track, const char *type, struct at_json body, bool is_import) {
    struct at_shop *shop = track->job->worker->shop;
    struct at_event_defaults defaults = {.received_ms = at_shop_now(shop),
                                         .is_import = is_import,
                                         .any_identifier = track->is_source,
                                         .rules = &shop->settings->identity};
    struct parsing parsing = {track, &defaults, at_catalog_root(shop->catalog), &track->job->err};
    enum at_status status = is_import ? track_mark_read(track, body) : AT_OK;
    if (status == AT_OK) status = parse_request(&parsing, type, body, &defaults);
    if (status == AT_INVALID) count_add(shop, COUNT_EVENTS_INVALID, 1);
    at_root_unref(parsing.root);
    return status;
}

const char *track_word(enum tracked_state state) {
    switch (state) {
    case TRACKED_ACCEPTED: return "accepted";
    case TRACKED_DUPLICATE: return "duplicate";
    case TRACKED_CONFLICT: return "conflict";
    case TRACKED_WITHHELD: return "withheld";
    default: return "invalid";
    }
}

static void count_events(struct track *track) {
    struct at_shop *shop = track->job->worker->shop;
    uint64_t counts[4] = {0}, withheld = 0;
    for (uint32_t i = 0; i < track->count; i++) {
        enum tracked_state state = track->events[i].state;
        withheld += state == TRACKED_WITHHELD;
        if (state == TRACKED_WITHHELD) continue;
        counts[state == TRACKED_ACCEPTED    ? 0
               : state == TRACKED_DUPLICATE ? 1
               : state == TRACKED_CONFLICT  ? 2
                                            : 3]++;
    }
    for (int i = 0; i < 4; i++)
        if (counts[i]) count_add(shop, (enum count_name)(COUNT_EVENTS_ACCEPTED + i), counts[i]);
    if (withheld) count_add(shop, COUNT_EVENTS_WITHHELD, withheld);
}

/* What there is to say of an event that was taken: of a withheld one that it is not kept says all. */
static const char *notice_of(const struct track *track, const struct tracked *one) {
    const char *stated = one->state == TRACKED_ACCEPTED ? one->stated : NULL;
    if (!stated || !one->notice) return stated ? stated : one->notice;
    const char *both = at_arena_printf(track->job->arena, "%s; %s", one->notice, stated);
    return both ? both : one->notice;
}

static void put_result(const struct track *track, struct at_json_out *out, const struct tracked *one) {
    bool is_taken = one->state == TRACKED_ACCEPTED || one->state == TRACKED_WITHHELD;
    const char *message = is_taken ? notice_of(track, one) : one->message;
    at_json_add_string(out, "status", track_word(one->state));
    if (message) at_json_add_string(out, "message", message);
}

void track_answer(struct track *track) {
    struct at_job *job = track->job;
    line_leave(track, AT_OK);
    count_events(track);
    if (!track->is_batch && track->events[0].state == TRACKED_CONFLICT) {
        at_fail_field(&job->err, AT_CONFLICT, "message_conflict", "messageId", "%s",
                      track->events[0].message);
        return job_end(job, AT_CONFLICT);
    }
    if (track->is_consent && track->events[0].is_withheld && !track->events[0].said_count) {
        at_fail_field(&job->err, AT_CONFLICT, "erased", "at",
                      "somebody of this identifier was erased since: what was said before that is not taken "
                      "in again");
        return job_end(job, AT_CONFLICT);
    }
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    at_json_add_bool(&out, "success", true);
    if (track->is_batch) {
        at_json_key(&out, "results");
        at_json_open(&out, '[');
        for (uint32_t i = 0; i < track->count; i++) {
            const struct tracked *one = &track->events[i];
            at_json_open(&out, '{');
            put_result(track, &out, one);
            at_json_close(&out, '}');
        }
        at_json_close(&out, ']');
    } else if (track->is_consent) {
        at_json_add_text(&out, "purpose", track->events[0].given->purpose);
        at_json_add_string(&out, "state", at_consent_word(track->events[0].answer));
        at_json_add_bool(&out, "allowed", track->events[0].is_allowed);
    } else if (notice_of(track, &track->events[0]))
        put_result(track, &out, &track->events[0]);
    if (job->has_gpc) at_json_add_string(&out, "gpc", "honoured");
    at_json_close(&out, '}');
    job_end(job, AT_OK);
}
