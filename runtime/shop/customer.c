/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of one person: the profile, the timeline (every event of every identifier of theirs, newest
 * first), the decisions kept.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

#define LIMIT_USUAL 50
#define LIMIT_MAX   1000

bool at_shop_has_kind(const struct at_shop *shop, struct at_text kind) {
    return at_identity_kind_find(&shop->settings->identity, kind) < AT_IDENTITY_KINDS_MAX;
}

/* Who was merged is found by the old id, too. */
static uint64_t person_of(struct at_shop *shop, struct at_text kind, struct at_text value) {
    uint64_t person = 0;
    if (kind.data) return identity_find(&shop->identity, kind, value);
    return at_person_id_parse(value, &person) ? identity_current(&shop->identity, person) : 0;
}

static void unknown(struct at_job *job) {
    at_fail(&job->err, AT_NOTFOUND, "unknown_customer", "no customer of this id or identifier is known");
    job_end(job, AT_NOTFOUND);
}

uint64_t customer_person(struct at_job *job, struct at_text kind, struct at_text value, const char *action) {
    uint64_t person = person_of(job->worker->shop, kind, value);
    if (person)
        access_note(job, action, person);
    else
        unknown(job);
    return person;
}

bool customer_is_there(struct at_job *job, const struct at_profile *profile) {
    /* Somebody from whom all that was done was taken away has identifiers still. */
    bool is_there = profile->applied_seq || profile->identifier_count;
    if (!is_there) unknown(job);
    return is_there;
}

static void short_of_memory(struct at_job *job) {
    at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    job_end(job, AT_NOMEM);
}

/* ---- the profile ---- */

struct showing {
    struct at_job *job;
    struct person_wait wait;
    struct at_task hop;
};

static void write_customer(struct at_job *job, const struct at_profile *profile,
                           const struct at_shown_segment *segments, uint32_t count) {
    struct at_shop *shop = job->worker->shop;
    struct at_baseline *baseline = learn_baseline(shop);
    struct at_showing with = {at_shop_now(shop), baseline, shop->settings->zone, segments, count};
    at_profile_show(profile, &with, &job->out);
    if (baseline) at_baseline_unref(baseline);
}

/* Where the person is is the back worker's to say; the event that it writes shows, too. */
static enum at_status show_with_segments(struct at_job *job, void *arg) {
    struct showing *showing = arg;
    struct at_shop *shop = job->worker->shop;
    struct at_profile *profile = showing->wait.profile, *latest;
    struct at_shown_segment *segments = NULL;
    uint32_t count = 0;
    enum at_status status = segments_of(shop, profile->person, job->arena, &segments, &count);
    latest = people_peek(shop, profile->person);
    if (status == AT_OK)
        write_customer(job, latest ? latest : profile, segments, count);
    else
        at_fail(&job->err, status, NULL, "the segments of the customer could not be read: ask again");
    if (latest) at_profile_unref(latest);
    at_profile_unref(profile);
    return status;
}

static void show(struct showing *showing) {
    struct at_job *job = showing->job;
    enum at_status status = showing->wait.status;
    if (status != AT_OK) {
        at_fail(&job->err, status == AT_STALE ? AT_BUSY : status, NULL,
                "the profile could not be read: ask again");
        return job_end(job, status == AT_STALE ? AT_BUSY : status);
    }
    struct at_profile *profile = showing->wait.profile;
    if (!customer_is_there(job, profile)) return at_profile_unref(profile);
    if (segments_are_used(job->worker->shop)) {
        if (errand_post(job, show_with_segments, showing) == AT_OK) return;
        at_profile_unref(profile);
        return short_of_memory(job);
    }
    write_customer(job, profile, NULL, 0);
    at_profile_unref(profile);
    job_end(job, AT_OK);
}

static void show_hop(struct at_task *hop) {
    show((struct showing *)((char *)hop - offsetof(struct showing, hop)));
}

static void show_ready(struct person_wait *wait) { /* any thread */
    struct showing *showing = wait->arg;
    showing->hop.run = show_hop;
    worker_hop(showing->job->worker, &showing->hop);
}

void at_shop_customer(struct at_job *job, struct at_text kind, struct at_text value) {
    uint64_t person = customer_person(job, kind, value, "customer");
    if (!person) return;
    struct showing *showing = at_arena_zalloc(job->arena, sizeof *showing);
    if (!showing) return short_of_memory(job);
    showing->job = job;
    showing->wait = (struct person_wait){.ready = show_ready, .arg = showing};
    if (people_get(job->worker->shop, person, false, &showing->wait)) show(showing);
}

/* ---- the timeline ---- */

struct timeline {
    struct at_job *job;
    uint64_t person, before;
    uint32_t limit;
    /* collecting */
    uint64_t *sources;
    uint32_t source_count, source_capacity;
    struct at_bytes *rows; /* JSON of each collected event */
    uint64_t *seqs;
    uint32_t count, capacity, of_source;
    struct at_json_parser *parser;
    bool is_short;
};

static bool add_source(void *arg, const struct at_identifier_row *row) {
    struct timeline *timeline = arg;
    if (timeline->source_count == timeline->source_capacity) {
        uint32_t capacity = timeline->source_capacity ? timeline->source_capacity * 2 : 16;
        uint64_t *sources = realloc(timeline->sources, capacity * sizeof *sources);
        if (!sources) {
            timeline->is_short = true;
            return false;
        }
        timeline->sources = sources;
        timeline->source_capacity = capacity;
    }
    timeline->sources[timeline->source_count++] = row->id;
    return true;
}

static void put_if(struct at_json_out *out, struct at_json body, const char *name) {
    struct at_json value = at_json_get(body, name);
    if (!value.tape) return;
    at_json_key(out, name);
    at_json_put_value(out, value);
}

/* Of an order that was told of before. The facts are our own writing: a text in them has its quotes escaped.
 */
static bool is_copy(const struct at_event_row *row) {
    static const char lost[] = "\"claim\":false";
    return at_text_is(row->name, "order_completed") &&
           memmem(row->facts.data, row->facts.length, lost, sizeof lost - 1);
}

/* The moment as attune counts it, and beside it what the sender said, so that a reader can compare. */
static void write_event(struct timeline *timeline, const struct at_event_row *row, struct at_bytes *bytes) {
    struct at_json body = {0};
    struct at_json_out out = at_json_out(bytes);
    if (at_json_parse(timeline->parser, row->body.data, row->body.length, false, &body, NULL) != AT_OK)
        body = (struct at_json){0};
    at_json_open(&out, '{');
    at_json_add_text(&out, "message_id", row->message_id);
    put_if(&out, body, "type");
    struct at_json event = at_json_get(body, "event");
    at_json_add_text(&out, "event", event.tape ? at_json_text(event) : row->name);
    at_json_add_text(&out, "name", row->name);
    at_json_add_time(&out, "timestamp", row->at_ms);
    at_json_add_time(&out, "received_at", row->received_ms);
    static const char *const as_sent[][2] = {{"timestamp", "sent_timestamp"},
                                             {"originalTimestamp", "original_timestamp"}};
    for (size_t i = 0; i < AT_LENGTH(as_sent); i++) {
        struct at_json value = at_json_get(body, as_sent[i][0]);
        if (!value.tape) continue;
        at_json_key(&out, as_sent[i][1]);
        at_json_put_value(&out, value);
    }
    at_json_add_text(&out, "source", row->origin);
    if (at_text_is(row->facts, AT_CONFLICT_FACTS)) at_json_add_bool(&out, "conflict", true);
    if (is_copy(row)) at_json_add_bool(&out, "again", true);
    struct at_json properties = at_json_get(body, "properties");
    at_json_key(&out, "properties");
    if (properties.tape)
        at_json_put_value(&out, properties);
    else
        at_json_put_raw(&out, "{}", 2);
    put_if(&out, body, "traits");
    put_if(&out, body, "groupId");
    put_if(&out, body, "previousId");
    at_json_close(&out, '}');
}

static bool collect(void *arg, const struct at_event_row *row) {
    struct timeline *timeline = arg;
    if (timeline->of_source++ > timeline->limit) return false;
    if (timeline->count == timeline->capacity) {
        uint32_t capacity = timeline->capacity ? timeline->capacity * 2 : 64;
        struct at_bytes *rows = realloc(timeline->rows, capacity * sizeof *rows);
        if (rows) timeline->rows = rows;
        uint64_t *seqs = rows ? realloc(timeline->seqs, capacity * sizeof *seqs) : NULL;
        if (seqs) timeline->seqs = seqs;
        if (!rows || !seqs) {
            timeline->is_short = true;
            return false;
        }
        timeline->capacity = capacity;
    }
    at_bytes_init(&timeline->rows[timeline->count], 1 << 20);
    write_event(timeline, row, &timeline->rows[timeline->count]);
    if (timeline->rows[timeline->count].failed) timeline->is_short = true;
    timeline->seqs[timeline->count++] = row->seq;
    return !timeline->is_short;
}

static void write_newest(struct timeline *timeline) {
    struct at_json_out out = at_json_out(&timeline->job->out);
    uint64_t last = 0;
    at_json_open(&out, '{');
    at_json_key(&out, "events");
    at_json_open(&out, '[');
    uint32_t written = 0;
    for (; written < timeline->limit; written++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t i = 0; i < timeline->count; i++)
            if (timeline->seqs[i] && (best == UINT32_MAX || timeline->seqs[i] > timeline->seqs[best]))
                best = i;
        if (best == UINT32_MAX) break;
        at_json_put_raw(&out, timeline->rows[best].data, timeline->rows[best].length);
        last = timeline->seqs[best];
        timeline->seqs[best] = 0;
    }
    at_json_close(&out, ']');
    bool has_more = false;
    for (uint32_t i = 0; i < timeline->count; i++) has_more |= timeline->seqs[i] != 0;
    at_json_key(&out, "next");
    char next[32];
    snprintf(next, sizeof next, "%llu", (unsigned long long)last);
    at_json_put_string(&out, has_more ? next : NULL);
    at_json_close(&out, '}');
}

static enum at_status read_timeline(struct at_job *job, struct at_reader *reader, void *arg) {
    struct timeline *timeline = arg;
    timeline->parser = parser_new();
    enum at_status status = timeline->parser
                                ? at_reader_identifiers_of(reader, timeline->person, add_source, timeline)
                                : AT_NOMEM;
    for (uint32_t i = 0; i < timeline->source_count && status == AT_OK && !timeline->is_short; i++) {
        timeline->of_source = 0;
        status = at_reader_events_of(reader, timeline->sources[i], timeline->before, true, collect, timeline);
    }
    if (timeline->is_short) status = AT_NOMEM;
    if (status == AT_OK)
        write_newest(timeline);
    else
        at_fail(&job->err, status, NULL, "the timeline could not be read");
    for (uint32_t i = 0; i < timeline->count; i++) at_bytes_clear(&timeline->rows[i]);
    free(timeline->rows);
    free(timeline->seqs);
    free(timeline->sources);
    if (timeline->parser) at_json_parser_free(timeline->parser);
    return status;
}

struct timeline_read {
    struct at_read read;
    struct at_job *job;
    struct timeline *timeline;
    enum at_status status;
};

static void run_read(struct at_read *read, struct at_reader *reader) {
    struct timeline_read *timeline = (struct timeline_read *)read;
    timeline->status = read_timeline(timeline->job, reader, timeline->timeline);
}

/* What is durable but not in the index yet is put there first, so that an answered event is always shown. */
static enum at_status flush_then_read(struct at_job *job, void *arg) {
    struct at_shop *shop = job->worker->shop;
    learn_drain(shop);
    enum at_status status = flush_timeline(shop);
    if (status != AT_OK)
        return at_fail(&job->err, status, NULL, "the timeline could not be brought up to date");
    struct timeline_read read = {{NULL, run_read}, job, arg, AT_OK};
    at_store_read_now(shop->store, &read.read);
    return read.status;
}

void at_shop_timeline(struct at_job *job, struct at_text kind, struct at_text value, uint32_t limit,
                      struct at_text cursor) {
    uint64_t person = customer_person(job, kind, value, "timeline"), before = UINT64_MAX >> 1;
    if (!person) return;
    if (cursor.length) {
        char number[32] = "", *rest = number;
        if (cursor.length < sizeof number) memcpy(number, cursor.data, cursor.length);
        before = strtoull(number, &rest, 10);
        if (!before || *rest) {
            at_fail_field(&job->err, AT_INVALID, "bad_cursor", "cursor",
                          "cursor is what \"next\" of the page before says");
            return job_end(job, AT_INVALID);
        }
    }
    struct timeline *timeline = at_arena_zalloc(job->arena, sizeof *timeline);
    if (!timeline) return short_of_memory(job);
    timeline->job = job;
    timeline->person = person;
    timeline->before = before;
    timeline->limit = !limit ? LIMIT_USUAL : limit > LIMIT_MAX ? LIMIT_MAX : limit;
    if (errand_post(job, flush_then_read, timeline) != AT_OK) short_of_memory(job);
}

/* ---- decisions ---- */

struct listing {
    struct at_read read;
    struct at_job *job;
    enum at_status status;
    uint64_t person;
    uint32_t limit;
    struct at_json_out out;
};

static bool list_one(void *arg, const struct at_decision_row *row) {
    struct listing *listing = arg;
    at_json_open(&listing->out, '{');
    at_json_add_text(&listing->out, "decision", row->id);
    at_json_add_time(&listing->out, "at", row->at_ms);
    at_json_key(&listing->out, "answer");
    at_json_put_raw(&listing->out, row->body.data, row->body.length);
    at_json_close(&listing->out, '}');
    return true;
}

static void list_decisions(struct at_read *read, struct at_reader *reader) {
    struct listing *listing = (struct listing *)read;
    listing->out = at_json_out(&listing->job->out);
    at_json_open(&listing->out, '{');
    at_json_key(&listing->out, "decisions");
    at_json_open(&listing->out, '[');
    listing->status = at_reader_decisions_of(reader, listing->person, listing->limit, list_one, listing);
    at_json_close(&listing->out, ']');
    at_json_close(&listing->out, '}');
}

static enum at_status read_decisions(struct at_job *job, void *arg) { /* the back worker */
    struct listing *listing = arg;
    decision_log_flush(job->worker->shop);
    at_store_read_now(job->worker->shop->store, &listing->read);
    return listing->status;
}

void at_shop_customer_decisions(struct at_job *job, struct at_text kind, struct at_text value,
                                uint32_t limit) {
    uint64_t person = customer_person(job, kind, value, "decisions");
    if (!person) return;
    struct listing *listing = at_arena_zalloc(job->arena, sizeof *listing);
    if (!listing) return short_of_memory(job);
    listing->read.run = list_decisions;
    listing->job = job;
    listing->person = person;
    listing->limit = !limit ? LIMIT_USUAL : limit > LIMIT_MAX ? LIMIT_MAX : limit;
    if (errand_post(job, read_decisions, listing) != AT_OK) short_of_memory(job);
}
