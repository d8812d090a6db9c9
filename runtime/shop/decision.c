/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v1/decisions/{id}: an earlier decision explained. While it is remembered it is computed again from
 * what it was made from, with explanations; later what the log kept of it is shown.
 */
#include <string.h>
#include "shop/internal.h"

struct looking {
    struct at_read read;
    struct at_job *job;
    struct at_text id, why_not;
    enum at_status status;
};

static void put_person(struct at_json_out *out, uint64_t person) {
    char id[AT_PERSON_ID_SIZE];
    if (!person) return;
    at_person_id_format(person, id);
    at_json_add_string(out, "customer", id);
}

/* Why there is nothing to show: the id says when it was made. */
static enum at_status say_gone(struct at_job *job, struct at_text id) {
    int64_t made_ms, now_ms = at_shop_now(job->worker->shop);
    char made[AT_TIME_SIZE];
    if (!ring_id_moment(id, &made_ms) || made_ms > now_ms)
        return at_fail(&job->err, AT_NOTFOUND, "unknown_decision",
                       "no decision of this id was made here: an id is what \"decision\" of an answer says");
    at_time_format(made_ms, made);
    if (now_ms - made_ms > DECISIONS_KEPT_MS)
        return at_fail(&job->err, AT_NOTFOUND, "decision_expired",
                       "this decision would be of %s: decisions are kept for 30 days", made);
    return at_fail(
        &job->err, AT_NOTFOUND, "decision_gone",
        "this decision would be of %s: it is no longer among the latest, which memory holds, and was not "
        "logged. Logged for 30 days are those that explored, those asked with \"explain\":true, and a "
        "sample: ask the same again with \"explain\":true",
        made);
}

static enum at_status write_logged(struct at_job *job, struct at_reader *reader,
                                   const struct looking *looking) {
    struct at_decision_row row;
    enum at_status status = at_reader_decision(reader, looking->id, &row, job->arena);
    if (status == AT_NOTFOUND) return say_gone(job, looking->id);
    if (status != AT_OK) return at_fail(&job->err, status, NULL, "the decision could not be read");
    if (looking->why_not.length)
        return at_fail_field(
            &job->err, AT_UNPROCESSABLE, "too_late", "why_not",
            "this decision is only kept as it was answered: ask again with \"explain\":true");
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    at_json_add_text(&out, "decision", row.id);
    at_json_add_time(&out, "at", row.at_ms);
    put_person(&out, row.person);
    at_json_key(&out, "answer");
    at_json_put_raw(&out, row.body.data, row.body.length);
    at_json_close(&out, '}');
    return AT_OK;
}

static void read_log(struct at_read *read, struct at_reader *reader) {
    struct looking *looking = (struct looking *)read;
    looking->status = write_logged(looking->job, reader, looking);
}

/* On the back worker: what waits to be logged is written first, so that it is found. */
static enum at_status from_log(struct at_job *job, void *arg) {
    struct looking *looking = arg;
    decision_log_flush(job->worker->shop);
    at_store_read_now(job->worker->shop->store, &looking->read);
    return looking->status;
}

/* Why a product is not on the list. */
static void write_not(struct decision *decision, const struct ask *ask, const struct answered *answered,
                      struct at_json_out *out) {
    struct at_text id = decision->why_not;
    uint32_t row = at_root_row(decision->root, id.data, id.length);
    const struct at_rank_result *result = &answered->result;
    at_json_open(out, '{');
    at_json_add_text(out, "id", id);
    const char *because = "not_a_candidate", *rail = NULL;
    if (row == AT_ROW_NONE || !at_root_is_live(decision->root, row)) because = "unknown_product";
    for (uint32_t i = 0; i < result->withheld_count && row != AT_ROW_NONE; i++)
        if (result->withheld[i].row == row) {
            because = result->withheld[i].is_failure ? "failure"
                      : result->withheld[i].by_only  ? "only"
                                                     : "hide";
            rail = result->withheld[i].rail;
        }
    for (uint32_t i = 0; result->order && i < result->total; i++)
        if (result->order[i] == row) {
            because = i >= ask->offset && i < ask->offset + ask->limit ? "it_is_there" : "further_down";
            at_json_add_int(out, "place", i + 1);
        }
    at_json_add_string(out, "because", because);
    if (rail) at_json_add_string(out, "rail", rail);
    at_json_close(out, '}');
}

static enum at_status explain_ask(struct decision *decision, struct at_json json, bool is_rank,
                                  struct at_json_out *out) {
    struct ask ask;
    struct answered answered;
    struct at_error *err = &decision->job->err;
    enum at_status status = ask_parse(decision, json, is_rank, &ask, err);
    if (status == AT_OK) status = ask_run(decision, &ask, &answered, err);
    if (status != AT_OK) return status;
    if (!decision->why_not.length) {
        ask_write(decision, &ask, &answered, out);
        return AT_OK;
    }
    at_json_key(out, "items");
    at_json_open(out, '[');
    explain_write(decision, &ask, &answered, out);
    at_json_close(out, ']');
    at_json_add_int(out, "total", answered.result.total);
    if (answered.ranking) {
        char script[256];
        snprintf(script, sizeof script, "%s:%u", answered.ranking->path, answered.ranking->line);
        at_json_add_string(out, "script", script);
    }
    at_json_key(out, "not");
    at_json_open(out, '[');
    write_not(decision, &ask, &answered, out);
    at_json_close(out, ']');
    return AT_OK;
}

static enum at_status replay(struct decision *decision, const struct recorded *recorded) {
    struct at_job *job = decision->job;
    struct at_json_out out = at_json_out(&job->out);
    at_json_open(&out, '{');
    at_json_add_string(&out, "decision", recorded->id);
    at_json_add_int(&out, "generation", (int64_t)recorded->generation);
    at_json_add_time(&out, "at", recorded->at_ms);
    put_person(&out, recorded->person);
    enum at_status status = AT_OK;
    decision->view = (struct at_decision_view){.root = decision->root,
                                               .baseline = decision->baseline,
                                               .now_ms = decision->now_ms,
                                               .arena = job->arena,
                                               .deadline_ns = decision_deadline(job->worker->shop),
                                               .explains = true,
                                               .page_product = AT_ROW_NONE};
    status = decision_consent(decision);
    if (status != AT_OK) return status;
    decision_page(decision, decision->one ? decision->body : (struct at_json){0});
    if (decision->one)
        status = explain_ask(decision, decision->body, true, &out);
    else {
        at_json_key(&out, "answers");
        at_json_open(&out, '{');
        struct at_json_each it = at_json_each(at_json_get(decision->body, "ask"));
        while (status == AT_OK && at_json_next(&it)) {
            at_json_key_text(&out, it.key);
            at_json_open(&out, '{');
            decision_page(decision, it.value);
            if (explain_ask(decision, it.value, false, &out) == AT_NOMEM) status = AT_NOMEM;
            at_json_close(&out, '}');
        }
        at_json_close(&out, '}');
    }
    at_json_close(&out, '}');
    return status;
}

static enum at_status replay_recorded(struct at_job *job, struct recorded *recorded, struct serving *serving,
                                      struct at_text why_not) {
    struct decision decision = {.job = job,
                                .scratch = job->arena,
                                .one = recorded->one,
                                .person = recorded->person,
                                .serving = serving,
                                .root = recorded->root,
                                .baseline = recorded->baseline,
                                .now_ms = recorded->at_ms,
                                .seed = recorded->seed,
                                .explains = true,
                                .is_replay = true,
                                .has_signal = recorded->has_signal,
                                .why_not = why_not,
                                .explored = recorded->explored,
                                .explored_count = recorded->explored_count};
    struct at_json_parser *parser = at_worker_take_parser(job->worker);
    decision.profile = recorded->profile ? at_profile_ref(recorded->profile) : at_profile_new(0, NULL);
    enum at_status status = parser && decision.profile ? AT_OK : AT_NOMEM;
    if (status == AT_OK)
        status =
            at_json_parse(parser, recorded->body, recorded->body_length, true, &decision.body, &job->err);
    if (status == AT_OK) status = replay(&decision, recorded);
    struct at_language *language = serving->languages[job->worker->index];
    if (language) at_decision_end(language, &decision.view);
    if (decision.profile) at_profile_unref(decision.profile);
    if (decision.seen) at_profile_unref(decision.seen);
    if (parser) at_worker_give_parser(job->worker, parser);
    if (status != AT_OK) at_bytes_reset(&job->out);
    return status;
}

void at_shop_decision(struct at_job *job, struct at_text id, struct at_text why_not) {
    struct recorded recorded;
    if (ring_get(job->worker->shop, id, job->arena, &recorded)) {
        struct serving *serving = serving_find(job->worker->shop, recorded.generation);
        enum at_status status = AT_NOTFOUND;
        if (serving) status = replay_recorded(job, &recorded, serving, why_not);
        bool is_done = serving != NULL;
        serving_unref(serving);
        recorded_clear(&recorded);
        if (is_done) return job_end(job, status);
    }
    struct looking *looking = at_arena_alloc(job->arena, sizeof *looking);
    enum at_status status = AT_NOMEM;
    if (looking) {
        *looking = (struct looking){{NULL, read_log}, job, id, why_not, AT_OK};
        status = errand_post(job, from_log, looking);
    }
    if (status == AT_OK) return;
    at_fail(&job->err, status, NULL, "out of memory");
    job_end(job, status);
}
