/* SPDX-License-Identifier: Apache-2.0
 *
 * Decisions out: one pin of generation, catalog, profile and what everyone likes; every ask of the request
 * runs on it. Nothing here waits once the profile is in memory.
 */
#include <stdlib.h>
#include <string.h>
#include "language/list.h"
#include "base/hash.h"
#include "shop/internal.h"

#define ASKS_MAX      32
#define SAMPLE_ONE_IN 64 /* of the decisions that need not be logged */

/* In such a segment nobody is, for this decision. */
static void tell_segments(struct decision *decision) {
    struct at_shop *shop = decision->job->worker->shop;
    if (!decision->view.segment_failures) return;
    count_add(shop, COUNT_SEGMENT_FAILURES, decision->view.segment_failures);
    live_tell_script(shop, decision->view.segment_error.message);
}

/* The two ways of running a rule came out differently: the rule is demoted, somebody should look. */
static void tell_disagreements(struct decision *decision) {
    struct at_shop *shop = decision->job->worker->shop;
    if (!decision->view.twice) return;
    count_add(shop, COUNT_RULES_TWICE, decision->view.twice);
    if (!decision->view.disagreements) return;
    count_add(shop, COUNT_RULES_DEMOTED, decision->view.disagreements);
    at_log(at_shop_log(shop), AT_LOG_ERROR, "rules", "%s", decision->view.disagreement.message);
}

static void end(struct decision *decision, enum at_status status) {
    struct at_job *job = decision->job;
    tell_segments(decision);
    tell_disagreements(decision);
    if (decision->serving) {
        struct at_language *language = decision->serving->languages[job->worker->index];
        budgets_note(job->worker->shop, decision->serving, language, &decision->view);
        if (language) {
            at_decision_end(language, &decision->view);
            if (at_language_is_spent(language)) count_add(job->worker->shop, COUNT_SCRIPT_STOPPED, 1);
        }
        if (decision->owns_serving) serving_unref(decision->serving);
    }
    if (decision->scratch) at_arena_reset(decision->scratch);
    if (decision->root) at_root_unref(decision->root);
    if (decision->profile) at_profile_unref(decision->profile);
    if (decision->seen) at_profile_unref(decision->seen);
    if (decision->owns_serving && decision->baseline) at_baseline_unref(decision->baseline);
    job_end(job, status);
}

/* ---- who ---- */

/* The strongest of the identifiers that is known. */
static void find_customer(struct decision *decision, struct at_json customer) {
    struct identity *identity = &decision->job->worker->shop->identity;
    for (uint32_t i = 0; i < identity->rules.kind_count && !decision->person; i++) {
        struct at_text kind = identity->rules.kinds[i].name;
        struct at_json value = at_json_member(customer, kind.data, kind.length);
        if (!value.tape && at_text_is(kind, "user_id")) value = at_json_get(customer, "userId");
        if (!value.tape && at_text_is(kind, "anonymous_id")) value = at_json_get(customer, "anonymousId");
        struct at_text text = at_json_text(value);
        if (text.length) decision->person = identity_find(identity, kind, text);
    }
}

static enum at_status read_customer(struct decision *decision) {
    struct at_json customer = at_json_get(decision->body, "customer");
    struct at_error *err = &decision->job->err;
    if (!customer.tape || at_json_is_null(customer)) return AT_OK;
    if (at_json_is_string(customer)) { /* the id of this API */
        if (!at_person_id_parse(at_json_text(customer), &decision->person)) decision->person = 0;
        return AT_OK;
    }
    if (!at_json_is_object(customer))
        return at_fail_field(err, AT_INVALID, "bad_customer", "customer",
                             "customer is an object: {\"user_id\":\"…\",\"anonymous_id\":\"…\"}");
    find_customer(decision, customer);
    return AT_OK;
}

/* ---- what the request says besides ---- */

static enum at_status read_clock(struct decision *decision) {
    struct at_json at = at_json_get(decision->body, "at");
    struct at_job *job = decision->job;
    if (decision->is_replay) return AT_OK;
    decision->now_ms = at_shop_now(job->worker->shop);
    if (!at.tape || at_json_is_null(at)) return AT_OK;
    if (!job->is_secret)
        return at_fail_field(&job->err, AT_FORBIDDEN, "secret_only", "at", "\"at\" needs the secret key");
    struct at_text text = at_json_text(at);
    if (!text.length)
        return at_fail_field(&job->err, AT_INVALID, "bad_time", "at",
                             "\"at\" is a time: \"2026-11-26T10:00:00Z\"");
    enum at_status status = at_time_parse(text.data, text.length, &decision->now_ms, &job->err);
    if (status != AT_OK) snprintf(job->err.field, sizeof job->err.field, "at");
    return status;
}

static enum at_status read_flag(struct decision *decision, const char *name, bool is_secret_only, bool *out) {
    struct at_json value = at_json_get(decision->body, name);
    struct at_job *job = decision->job;
    if (!value.tape || at_json_is_null(value)) return AT_OK;
    if (!at_json_bool(value, out))
        return at_fail_field(&job->err, AT_INVALID, "bad_flag", name, "\"%s\" is true or false", name);
    if (*out && is_secret_only && !job->is_secret)
        return at_fail_field(&job->err, AT_FORBIDDEN, "secret_only", name, "\"%s\" needs the secret key",
                             name);
    return AT_OK;
}

void decision_page(struct decision *decision, struct at_json ask) {
    struct at_json context = at_json_get(decision->body, "context");
    decision->page = at_json_text(at_json_get(context, "page"));
    at_list_page(&decision->view, decision->page, context, ask);
}

/* ---- what may be known ---- */

/* The signal of this request, unless an event has brought it: then what was said since decides. Through which
 * source it comes the identifier of the browser says. */
static bool is_signalled(const struct decision *decision) {
    struct at_json customer = at_json_get(decision->body, "customer");
    if (decision->is_replay) return decision->has_signal;
    if (!decision->job->has_gpc) return false;
    struct at_json browser = at_json_get(customer, "anonymous_id");
    if (!browser.tape) browser = at_json_get(customer, "anonymousId");
    uint64_t source = identity_source(&decision->job->worker->shop->identity, AT_TEXT("anonymous_id"),
                                      at_json_text(browser));
    return !source || !at_consent_signal(decision->profile, source, AT_TEXT("personalization"));
}

static bool may_do(const struct decision *decision, const char *purpose, int64_t now_ms) {
    return at_consent_allows(&decision->job->worker->shop->settings->consent, decision->profile,
                             at_text_of(purpose), AT_TEXT(""), at_consent_region(decision->profile->country),
                             now_ms);
}

enum at_status decision_consent(struct decision *decision) {
    struct at_shop *shop = decision->job->worker->shop;
    const struct at_consent_rules *rules = &shop->settings->consent;
    struct at_profile *whole = decision->profile;
    decision->has_signal = is_signalled(decision);
    bool may = !decision->has_signal && may_do(decision, "personalization", decision->now_ms);
    decision->is_analysed = may_do(decision, "analytics", decision->now_ms);
    decision->view.whole = decision->view.profile = whole;
    decision->view.is_plain = !may;
    if (whole->person && !may) {
        decision->seen = at_profile_plain(whole);
        if (!decision->is_replay) count_add(shop, COUNT_DECISIONS_PLAIN, 1);
    } else if (at_profile_has_unused(whole, rules))
        decision->seen = at_profile_without_unused(whole, rules);
    else
        return AT_OK;
    decision->view.profile = decision->seen;
    return decision->seen ? AT_OK : at_fail(&decision->job->err, AT_NOMEM, NULL, "out of memory");
}

/* ---- running ---- */

static void write_error(struct at_json_out *out, const struct at_error *err, enum at_status status) {
    at_json_open(out, '{');
    at_json_key(out, "error");
    at_json_open(out, '{');
    at_json_add_string(out, "code", err->code[0] ? err->code : at_status_word(status));
    at_json_add_string(out, "message", err->message);
    if (err->field[0]) at_json_add_string(out, "field", err->field);
    at_json_close(out, '}');
    at_json_close(out, '}');
}

static enum at_status run_ask(struct decision *decision, struct at_json json, bool is_rank,
                              struct at_json_out *out, struct at_error *err) {
    struct ask ask;
    struct answered answered;
    enum at_status status = ask_parse(decision, json, is_rank, &ask, err);
    decision_page(decision, json);
    if (status == AT_OK) status = ask_run(decision, &ask, &answered, err);
    count_add(decision->job->worker->shop, COUNT_ASKS, 1);
    if (status == AT_OK) ask_write(decision, &ask, &answered, out);
    return status;
}

static void open_answer(struct decision *decision, struct at_json_out *out) {
    at_json_open(out, '{');
    at_json_add_string(out, "decision", decision->id);
    at_json_add_int(out, "generation", (int64_t)decision->serving->generation->id);
    if (decision->job->has_gpc) at_json_add_string(out, "gpc", "honoured");
}

static enum at_status run_rank(struct decision *decision) {
    struct at_json_out out = at_json_out(&decision->job->out);
    open_answer(decision, &out);
    enum at_status status = run_ask(decision, decision->body, true, &out, &decision->job->err);
    at_json_close(&out, '}');
    return status;
}

static enum at_status run_decide(struct decision *decision) {
    struct at_job *job = decision->job;
    struct at_json asks = at_json_get(decision->body, "ask");
    uint32_t count = 0;
    if (!at_json_is_object(asks))
        return at_fail_field(&job->err, AT_INVALID, "no_ask", "ask",
                             "say what to decide: \"ask\":{\"list\":{\"ranking\":\"…\"}}");
    struct at_json_each it = at_json_each(asks);
    while (at_json_next(&it)) count++;
    if (count > ASKS_MAX)
        return at_fail_field(&job->err, AT_UNPROCESSABLE, "too_many_asks", "ask",
                             "a decision may have %d asks, this one has %u", ASKS_MAX, count);
    struct at_json_out out = at_json_out(&job->out);
    open_answer(decision, &out);
    at_json_key(&out, "answers");
    at_json_open(&out, '{');
    it = at_json_each(asks);
    while (at_json_next(&it)) {
        struct at_error err = {0};
        at_json_key_text(&out, it.key);
        size_t before = job->out.length;
        at_json_open(&out, '{');
        enum at_status status = run_ask(decision, it.value, false, &out, &err);
        at_json_close(&out, '}');
        if (status == AT_OK) continue;
        if (status == AT_NOMEM) return at_fail(&job->err, status, NULL, "out of memory");
        job->out.length = before; /* its error takes the place of the answer */
        out.needs_comma = false;
        write_error(&out, &err, status);
    }
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    return AT_OK;
}

enum at_status decision_run(struct decision *decision) {
    decision->view.root = decision->root;
    decision->view.baseline = decision->baseline;
    decision->view.now_ms = decision->now_ms;
    decision->view.arena = decision->scratch;
    decision->view.deadline_ns = decision_deadline(decision->job->worker->shop);
    decision->view.explains = decision->explains;
    enum at_status status = decision_consent(decision);
    if (status != AT_OK) return status;
    return decision->one ? run_rank(decision) : run_decide(decision);
}

/* ---- recording ---- */

static void record(struct decision *decision) {
    struct at_job *job = decision->job;
    struct at_shop *shop = job->worker->shop;
    count_add(shop, COUNT_DECISIONS, 1);
    if (decision->is_dry || decision->is_replay) return;
    struct at_bytes written = {0};
    struct at_text body = job->text;
    if (!body.length) { /* called with JSON only */
        at_bytes_init(&written, AT_SHOP_BODY_MAX);
        struct at_json_out out = at_json_out(&written);
        at_json_put_value(&out, decision->body);
        body = (struct at_text){written.data, written.length};
    }
    if (!written.failed && body.length) {
        struct recorded recorded = {.generation = decision->serving->generation->id,
                                    .person = decision->person,
                                    .seed = decision->seed,
                                    .at_ms = decision->now_ms,
                                    .root = decision->root,
                                    .profile = decision->profile,
                                    .has_signal = decision->has_signal,
                                    .baseline = decision->baseline,
                                    .one = decision->one,
                                    .body = (char *)(uintptr_t)body.data,
                                    .body_length = body.length,
                                    .explored = decision->explored_now,
                                    .explored_count = decision->explored_now_count};
        memcpy(recorded.id, decision->id, sizeof recorded.id);
        ring_put(job->worker, &recorded);
    }
    at_bytes_clear(&written);
    bool is_logged = decision->has_explored || decision->explains || decision->seed % SAMPLE_ONE_IN == 0;
    struct at_text answer = {job->out.data, job->out.length};
    uint64_t person = decision->is_analysed ? decision->person : 0;
    if (is_logged) decision_log(shop, decision->id, decision->now_ms, person, answer);
    if (is_logged && live_is_watched(shop)) live_send(shop, "decision", answer);
}

static void pin_learned(struct at_worker *worker) {
    struct at_shop *shop = worker->shop;
    uint64_t version = atomic_load_explicit(&shop->learned_version, memory_order_acquire);
    if (version == worker->learned_version) return;
    worker->learned_version = version;
    if (worker->baseline) at_baseline_unref(worker->baseline);
    shown_unref(worker->shown);
    worker->baseline = learn_baseline(shop);
    worker->shown = learn_shown(shop);
}

/* Page 2: the same ask with the decision's id. What page 1 pinned is pinned again while it is remembered. */
static void continue_earlier(struct decision *decision) {
    struct at_text id = at_json_text(at_json_get(decision->body, "decision"));
    struct recorded earlier;
    if (!id.length) return;
    decision->seed = at_hash64(id.data, id.length);
    if (!ring_get(decision->job->worker->shop, id, decision->job->arena, &earlier)) return;
    memcpy(decision->id, earlier.id, sizeof decision->id);
    decision->seed = earlier.seed;
    decision->now_ms = earlier.at_ms;
    decision->explored = earlier.explored;
    decision->explored_count = earlier.explored_count;
    struct serving *serving = serving_find(decision->job->worker->shop, earlier.generation);
    at_root_unref(decision->root);
    decision->root = at_root_ref(earlier.root);
    /* What was withdrawn since is not read again. */
    bool may = may_do(decision, "personalization", at_shop_now(decision->job->worker->shop));
    if (earlier.profile && decision->person == earlier.person && may) {
        at_profile_unref(decision->profile);
        decision->profile = at_profile_ref(earlier.profile);
    }
    if (serving) {
        decision->serving = serving;
        decision->owns_serving = true;
        decision->baseline = earlier.baseline ? at_baseline_ref(earlier.baseline) : NULL;
    }
    recorded_clear(&earlier);
}

static void decide_now(struct decision *decision) {
    struct at_worker *worker = decision->job->worker;
    pin_learned(worker);
    decision->scratch = &worker->scratch;
    decision->serving = serving_of(worker);
    decision->root = at_catalog_root(worker->shop->catalog);
    decision->baseline = worker->baseline;
    decision->shown = worker->shown;
    ring_id(worker, at_shop_now(worker->shop), decision->id);
    worker->random += 0x9E3779B97F4A7C15ULL;
    decision->seed = at_mix64(worker->random);
    if (!decision->profile) decision->profile = at_profile_new(0, NULL);
    if (!decision->profile || !decision->serving) {
        at_fail(&decision->job->err, AT_NOMEM, NULL, "out of memory");
        return end(decision, AT_NOMEM);
    }
    continue_earlier(decision);
    enum at_status status = decision_run(decision);
    if (status == AT_OK)
        record(decision);
    else
        at_bytes_reset(&decision->job->out);
    end(decision, status);
}

static void profile_there(struct at_task *hop) {
    struct decision *decision = (struct decision *)((char *)hop - offsetof(struct decision, hop));
    if (decision->wait.status == AT_OK) decision->profile = decision->wait.profile;
    /* A profile that cannot be read must not fail the page: it is decided as for somebody new. */
    decide_now(decision);
}

static void profile_ready(struct person_wait *wait) { /* any thread */
    struct decision *decision = wait->arg;
    decision->hop.run = profile_there;
    worker_hop(decision->job->worker, &decision->hop);
}

void at_shop_decide(struct at_job *job, const char *one, struct at_json body) {
    struct decision *decision = at_arena_zalloc(job->arena, sizeof *decision);
    if (!decision) {
        at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
        return job_end(job, AT_NOMEM);
    }
    decision->job = job;
    decision->body = body;
    decision->one = one;
    enum at_status status = at_json_is_object(body)
                                ? AT_OK
                                : at_fail(&job->err, AT_INVALID, "not_an_object", "send one JSON object");
    if (status == AT_OK) status = read_customer(decision);
    if (status == AT_OK) status = read_clock(decision);
    if (status == AT_OK) status = read_flag(decision, "explain", true, &decision->explains);
    if (status == AT_OK) status = read_flag(decision, "dry_run", false, &decision->is_dry);
    if (status != AT_OK) return end(decision, status);
    if (!decision->person) return decide_now(decision);
    decision->wait = (struct person_wait){.ready = profile_ready, .arg = decision};
    if (!people_get(job->worker->shop, decision->person, false, &decision->wait)) return;
    if (decision->wait.status == AT_OK) decision->profile = decision->wait.profile;
    decide_now(decision);
}
