/* SPDX-License-Identifier: Apache-2.0
 *
 * How far an import is: a mark under a name of its own, written in the same commit as the last of the events
 * it speaks of, so that it never says more than is there. A request whose events were all there already
 * commits its mark alone, before the answer.
 */
#include <string.h>
#include "shop/track.h"

#define NAME_MAX_BYTES  100
#define STATE_MAX_BYTES 4096

bool mark_is_name(struct at_text name) {
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && c != '.' && c != '_' && c != '-') return false;
    }
    return name.length > 0 && name.length <= NAME_MAX_BYTES;
}

/* As the store names it; NULL: out of memory. */
static char *row_name(struct at_arena *arena, struct at_text name) {
    return at_arena_printf(arena, "import %.*s", (int)name.length, name.data);
}

static enum at_status read_mark(struct track *track, struct at_json mark) {
    struct at_job *job = track->job;
    struct at_text name = at_json_text(at_json_get(mark, "name"));
    struct at_json state = at_json_get(mark, "state");
    struct at_bytes bytes;
    if (!mark_is_name(name))
        return at_fail_field(&job->err, AT_UNPROCESSABLE, "bad_mark", "mark.name",
                             "the name of a mark has 1 to %d of a-z, A-Z, 0-9, \".\", \"_\" and \"-\"",
                             NAME_MAX_BYTES);
    if (!at_json_is_object(state))
        return at_fail_field(&job->err, AT_UNPROCESSABLE, "bad_mark", "mark.state",
                             "the state of a mark is an object: {\"lines\":2500}");
    at_bytes_init(&bytes, STATE_MAX_BYTES);
    struct at_json_out out = at_json_out(&bytes);
    at_json_put_value(&out, state);
    char *copy = bytes.failed ? NULL : at_arena_dup(job->arena, bytes.data, bytes.length);
    track->mark = (struct track_mark){.name = name, .state = {copy, bytes.length}};
    bool is_too_big = bytes.failed;
    at_bytes_clear(&bytes);
    if (is_too_big)
        return at_fail_field(&job->err, AT_UNPROCESSABLE, "bad_mark", "mark.state",
                             "the state of a mark may have %d bytes", STATE_MAX_BYTES);
    return copy ? AT_OK : at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
}

/* Whose events they are: the caller vouches for them. */
static enum at_status read_source(struct track *track, struct at_json source) {
    struct at_text name = at_json_text(source);
    if (!name.length || name.length > NAME_MAX_BYTES || memchr(name.data, 0, name.length))
        return at_fail_field(&track->job->err, AT_UNPROCESSABLE, "bad_source", "source",
                             "source is a name of up to %d bytes", NAME_MAX_BYTES);
    track->job->source = name.data; /* NUL-terminated; the body lives as long as the request */
    return AT_OK;
}

enum at_status track_mark_read(struct track *track, struct at_json body) {
    static const char *const secret_only[] = {"mark", "source"};
    struct at_json values[2] = {at_json_get(body, secret_only[0]), at_json_get(body, secret_only[1])};
    for (int i = 0; i < 2; i++) {
        if (at_json_is_null(values[i])) values[i].tape = NULL;
        if (values[i].tape && !track->job->is_secret)
            return at_fail_field(&track->job->err, AT_FORBIDDEN, "secret_only", secret_only[i],
                                 "\"%s\" needs the secret key", secret_only[i]);
    }
    enum at_status status = values[1].tape ? read_source(track, values[1]) : AT_OK;
    return status == AT_OK && values[0].tape ? read_mark(track, values[0]) : status;
}

/* What became of the request's events, should they be committed: whoever asked may not live to hear it. */
static void put_results(const struct track *track, struct at_json_out *out) {
    uint64_t counts[TRACKED_INVALID + 1] = {0};
    for (uint32_t i = 0; i < track->count; i++) {
        const struct tracked *one = &track->events[i];
        enum tracked_state state = one->state;
        if (state == TRACKED_IN_ROUND)
            state = one->is_withheld   ? TRACKED_WITHHELD
                    : one->is_conflict ? TRACKED_CONFLICT
                                       : TRACKED_ACCEPTED;
        counts[state]++;
    }
    at_json_key(out, "results");
    at_json_open(out, '{');
    for (int state = TRACKED_ACCEPTED; state <= TRACKED_INVALID; state++)
        at_json_add_int(out, track_word((enum tracked_state)state), (int64_t)counts[state]);
    at_json_close(out, '}');
}

static bool put_row(const struct track *track, struct at_text *text) {
    struct at_bytes bytes;
    at_bytes_init(&bytes, 2 * STATE_MAX_BYTES);
    struct at_json_out out = at_json_out(&bytes);
    at_json_open(&out, '{');
    at_json_key(&out, "state");
    at_json_put_raw(&out, track->mark.state.data, track->mark.state.length);
    put_results(track, &out);
    at_json_close(&out, '}');
    char *copy = bytes.failed ? NULL : at_arena_dup(track->job->arena, bytes.data, bytes.length);
    *text = (struct at_text){copy, bytes.length};
    at_bytes_clear(&bytes);
    return copy != NULL;
}

enum at_status track_mark_write(struct track *track, struct at_unit *unit) {
    struct at_write *write = at_unit_write(unit, track->job->arena, AT_WRITE_STATE);
    char *name = row_name(track->job->arena, track->mark.name);
    if (!write || !name || !put_row(track, &write->text)) return AT_NOMEM;
    write->name = at_text_of(name);
    track->mark.is_written = true;
    return AT_OK;
}

/* ---- by itself ---- */

static void marked(struct at_unit *unit) { /* commit thread */
    struct track *track = unit->arg;
    track->status = unit->status;
    worker_hop(track->job->worker, &track->hop);
}

enum at_status track_mark_commit(struct track *track) {
    track->unit = (struct at_unit){.done = marked, .refuse = marked, .arg = track};
    enum at_status status = track_mark_write(track, &track->unit);
    if (status != AT_OK) return status;
    worker_in_turn(track->job->worker);
    return at_store_commit(track->job->worker->shop->store, &track->unit);
}

/* ---- asked for ---- */

static enum at_status find_mark(struct at_job *job, struct at_reader *reader, void *arg) {
    struct at_text *name = arg, text;
    char *row = row_name(job->arena, *name);
    enum at_status status = row ? at_reader_state(reader, at_text_of(row), &text, job->arena) : AT_NOMEM;
    if (status == AT_NOTFOUND)
        return at_fail(&job->err, status, "unknown_import", "there is no import \"%.*s\"", (int)name->length,
                       name->data);
    if (status != AT_OK) return at_fail(&job->err, status, NULL, "the import could not be read");
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    at_json_add_text(&out, "name", *name);
    at_bytes_add(&job->out, ",", 1);
    at_bytes_add(&job->out, text.data + 1, text.length - 1); /* the row is an object: its members */
    return AT_OK;
}

void at_shop_import(struct at_job *job, struct at_text name) {
    struct at_text *kept = at_arena_alloc(job->arena, sizeof *kept);
    enum at_status status = AT_NOMEM;
    if (kept) {
        *kept = name;
        status = errand_read(job, find_mark, kept);
    }
    if (status == AT_OK) return;
    at_fail(&job->err, status, NULL, "out of memory");
    job_end(job, status);
}
