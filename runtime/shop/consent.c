/* SPDX-License-Identifier: Apache-2.0
 *
 * A statement of consent told by the shop's own server: checked, made an event of the person, and sent the
 * way of all events, so that it is durable when it is answered and folded like them.
 */
#include <string.h>
#include "base/utf8.h"
#include "shop/track.h"

#define PROOF_MAX 4096 /* bytes of the proof as JSON */

struct telling {
    struct at_job *job;
    struct person_wait wait;
    struct at_task hop;
    struct at_consent_statement said;
    struct at_json body, proof;
    uint64_t asked; /* the identifier the person was found by; 0: by the person's own id */
};

/* ---- the statement ---- */

struct reading {
    struct at_json body;
    int64_t now_ms;
    struct at_consent_statement *said;
    struct at_error *err;
};

static enum at_status read_text(struct reading *reading, const char *name, size_t most, struct at_text *out) {
    struct at_json value = at_json_get(reading->body, name);
    *out = at_json_is_string(value) ? at_json_text(value) : AT_TEXT("");
    bool is_absent = !value.tape || at_json_is_null(value);
    if ((is_absent || at_json_is_string(value)) && out->length <= most) return AT_OK;
    return at_fail_field(reading->err, AT_UNPROCESSABLE, "bad_text", name,
                         "%s is a text of at most %zu bytes", name, most);
}

static enum at_status read_moment(struct reading *reading, const char *name, int64_t *out) {
    struct at_json value = at_json_get(reading->body, name);
    struct at_text text = at_json_text(value);
    if (!value.tape || at_json_is_null(value)) return AT_OK;
    if (text.length && at_time_parse(text.data, text.length, out, NULL) == AT_OK) return AT_OK;
    return at_fail_field(reading->err, AT_UNPROCESSABLE, "bad_time", name,
                         "%s is a time: \"2026-11-26T10:00:00Z\"", name);
}

static enum at_status read_times(struct reading *reading) {
    struct at_consent_statement *said = reading->said;
    said->at_ms = reading->now_ms;
    enum at_status status = read_moment(reading, "at", &said->at_ms);
    if (status == AT_OK) status = read_moment(reading, "expires_at", &said->expires_ms);
    if (status != AT_OK) return status;
    if (said->at_ms > reading->now_ms + AT_DAY_MS)
        return at_fail_field(reading->err, AT_UNPROCESSABLE, "bad_time", "at",
                             "at lies more than a day ahead: when was it said?");
    if (said->expires_ms && said->expires_ms <= said->at_ms)
        return at_fail_field(reading->err, AT_UNPROCESSABLE, "bad_time", "expires_at",
                             "expires_at must lie after at");
    return AT_OK;
}

static enum at_status read_status(struct reading *reading) {
    static const char *const words[] = {"granted", "denied"};
    char word[32];
    struct at_text text = at_json_text(at_json_get(reading->body, "status"));
    reading->said->is_granted = at_text_is(text, "granted");
    if (reading->said->is_granted || at_text_is(text, "denied")) return AT_OK;
    snprintf(word, sizeof word, "%.*s", (int)(text.length < 31 ? text.length : 31),
             text.data ? text.data : "");
    const char *nearest = at_suggest(word, words, 2);
    if (nearest)
        return at_fail_field(reading->err, AT_UNPROCESSABLE, "bad_status", "status",
                             "there is no status \"%s\" — did you mean \"%s\"?", word, nearest);
    return at_fail_field(reading->err, AT_UNPROCESSABLE, "bad_status", "status",
                         "status is \"granted\" or \"denied\"");
}

static enum at_status read_proof(struct reading *reading, struct at_json *out) {
    struct at_json proof = at_json_get(reading->body, "proof");
    bool is_confirmed = false;
    if (!proof.tape || at_json_is_null(proof)) return AT_OK;
    struct at_json confirmed = at_json_get(proof, "confirmed");
    if (!at_json_is_object(proof) || (confirmed.tape && !at_json_bool(confirmed, &is_confirmed)))
        return at_fail_field(reading->err, AT_UNPROCESSABLE, "bad_proof", "proof",
                             "proof is an object; of a double opt-in {\"confirmed\":true}");
    if (at_json_most_bytes(proof) > PROOF_MAX)
        return at_fail_field(reading->err, AT_UNPROCESSABLE, "bad_proof", "proof", "proof may have %d bytes",
                             PROOF_MAX);
    *out = proof;
    reading->said->is_confirmed = is_confirmed && reading->said->is_granted;
    return AT_OK;
}

enum at_status consent_read(struct at_json body, int64_t now_ms, struct at_consent_statement *said,
                            struct at_json *proof, struct at_error *err) {
    struct reading reading = {body, now_ms, said, err};
    if (!at_json_is_object(body)) return at_fail(err, AT_INVALID, "not_an_object", "send one JSON object");
    enum at_status status = read_text(&reading, "purpose", AT_CONSENT_NAME_MAX, &said->purpose);
    if (status == AT_OK && !said->purpose.length)
        status = at_fail_field(err, AT_UNPROCESSABLE, "no_purpose", "purpose",
                               "say what it is about: \"purpose\":\"email_marketing\"");
    if (status == AT_OK) status = read_text(&reading, "channel", AT_CONSENT_NAME_MAX, &said->channel);
    if (status == AT_OK) status = read_text(&reading, "source", AT_CONSENT_TEXT_MAX, &said->said);
    if (status == AT_OK) status = read_text(&reading, "wording", AT_CONSENT_TEXT_MAX, &said->wording);
    if (status == AT_OK) status = read_status(&reading);
    if (status == AT_OK) status = read_times(&reading);
    return status == AT_OK ? read_proof(&reading, proof) : status;
}

/* ---- the event ---- */

/* The event is that identifier's by which the person was found, and goes with it when it is taken apart; else
 * the newest's. One that still leads to the person: it may have been taken apart since. */
static const struct at_known_identifier *choose_identifier(const struct telling *telling,
                                                           const struct at_profile *profile) {
    struct identity *identity = &telling->job->worker->shop->identity;
    const struct at_known_identifier *chosen = NULL;
    for (uint32_t i = profile->identifier_count; i-- > 0;) {
        const struct at_known_identifier *one = &profile->identifiers[i];
        if (identity_find(identity, one->kind, one->value) != profile->person) continue;
        if (identity_source(identity, one->kind, one->value) == telling->asked) return one;
        if (!chosen) chosen = one;
    }
    return chosen;
}

static bool copy_identifier(struct at_arena *arena, const struct at_known_identifier *from,
                            struct at_identifier *out) {
    if (!from) return false;
    char *kind = at_arena_dup(arena, from->kind.data, from->kind.length),
         *value = at_arena_dup(arena, from->value.data, from->value.length);
    *out = (struct at_identifier){{kind, from->kind.length}, {value, from->value.length}};
    return kind && value;
}

static bool make_event(struct telling *telling, const struct at_profile *profile, struct tracked *one) {
    struct at_arena *arena = telling->job->arena;
    struct at_event *event = &one->event;
    char id[AT_ULID_SIZE];
    int64_t now_ms = at_shop_now(telling->job->worker->shop);
    at_ulid(now_ms, id);
    char *kept = at_arena_dup(arena, id, sizeof id - 1);
    struct at_identifier *whose = at_arena_alloc(arena, sizeof *whose);
    if (!kept || !whose || !copy_identifier(arena, choose_identifier(telling, profile), whose)) return false;
    *event = (struct at_event){.type = AT_EVENT_TRACK,
                               .type_word = AT_TEXT("track"),
                               .event = AT_TEXT("Consent Updated"),
                               .name = AT_TEXT("consent_updated"),
                               .message_id = {kept, sizeof id - 1},
                               .identifiers = whose,
                               .identifier_count = 1,
                               .at_ms = telling->said.at_ms,
                               .received_ms = now_ms,
                               .revenue = at_missing(),
                               .json = telling->body};
    one->key = at_hash64(kept, sizeof id - 1) | 1;
    one->given = &telling->said;
    one->proof = telling->proof;
    one->is_proven = true; /* the secret key */
    return true;
}

static void tell(struct telling *telling) {
    struct at_job *job = telling->job;
    struct at_profile *profile = telling->wait.profile;
    if (telling->wait.status != AT_OK) {
        enum at_status status = telling->wait.status == AT_STALE ? AT_BUSY : telling->wait.status;
        at_fail(&job->err, status, NULL, "the profile could not be read: send it again");
        return job_end(job, status);
    }
    if (!customer_is_there(job, profile)) return at_profile_unref(profile);
    struct track *track = at_arena_zalloc(job->arena, sizeof *track);
    struct tracked *one = at_arena_zalloc(job->arena, 2 * sizeof *one);
    bool is_made = track && one && make_event(telling, profile, one);
    at_profile_unref(profile);
    if (!is_made) {
        at_fail(&job->err, AT_BUSY, "busy", "the customer is being joined or taken apart: send it again");
        return job_end(job, AT_BUSY);
    }
    track->job = job;
    track->events = one;
    track->count = 1;
    track->is_consent = true;
    track_start(track);
}

static void tell_hop(struct at_task *hop) {
    tell((struct telling *)((char *)hop - offsetof(struct telling, hop)));
}

static void profile_ready(struct person_wait *wait) { /* any thread */
    struct telling *telling = wait->arg;
    telling->hop.run = tell_hop;
    worker_hop(telling->job->worker, &telling->hop);
}

void at_shop_consent(struct at_job *job, struct at_text kind, struct at_text value, struct at_json body) {
    struct telling *telling = at_arena_zalloc(job->arena, sizeof *telling);
    if (!telling) {
        at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
        return job_end(job, AT_NOMEM);
    }
    telling->job = job;
    telling->body = body;
    enum at_status status =
        consent_read(body, at_shop_now(job->worker->shop), &telling->said, &telling->proof, &job->err);
    if (status != AT_OK) return job_end(job, status);
    uint64_t person = customer_person(job, kind, value, "consent");
    if (!person) return;
    telling->asked = kind.data ? identity_source(&job->worker->shop->identity, kind, value) : 0;
    telling->wait = (struct person_wait){.ready = profile_ready, .arg = telling};
    if (people_get(job->worker->shop, person, false, &telling->wait)) tell(telling);
}
