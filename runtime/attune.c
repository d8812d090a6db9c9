/* SPDX-License-Identifier: Apache-2.0
 *
 * The library's face: a call is a request that never was on a wire. It goes through the same routes, or
 * straight to the shop, and its answer comes on the host's loop.
 */
#include "attune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/api.h"
#include "shop/shop.h"

struct attune {
    struct at_shop *shop;
    struct at_log log;
    char *data;
    void (*host_log)(void *arg, const char *line);
    void *host_log_arg;
    size_t open_calls;
    bool is_closing;
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};
struct local_call {
    struct attune *attune;
    struct at_exchange exchange;
    struct at_request request;
    struct at_arena arena;
    attune_on_answer on_answer;
    void *arg;
    struct at_task over; /* its memory goes after this turn of the loop */
    struct at_job job;   /* of the calls that skip the routing */
    struct at_json_parser *parser;
};

static void give_error(struct attune_error *out, const struct at_error *err) {
    if (!out) return;
    snprintf(out->code, sizeof out->code, "%s", err->code);
    snprintf(out->field, sizeof out->field, "%s", err->field);
    snprintf(out->message, sizeof out->message, "%s", err->message);
}

static int fail(struct attune_error *out, const char *code, const char *message) {
    struct at_error err = {0};
    at_fail(&err, AT_INVALID, code, "%s", message);
    give_error(out, &err);
    return -1;
}

const char *attune_version(void) {
    return AT_VERSION;
}

/* ---- life ---- */

static void on_log(void *arg, enum at_log_level level, const char *line) {
    struct attune *attune = arg;
    (void)level;
    if (attune->host_log) attune->host_log(attune->host_log_arg, line);
}

int attune_open(struct attune **out, const struct attune_options *options, struct attune_error *said) {
    struct at_error err = {0};
    if (!options->shop || !options->loop) return fail(said, "bad_options", "shop and loop are needed");
    struct attune *attune = calloc(1, sizeof *attune);
    size_t size = strlen(options->shop) + 8;
    if (attune) attune->data = options->data ? strdup(options->data) : malloc(size);
    if (!attune || !attune->data) {
        free(attune);
        return fail(said, "no_memory", "out of memory");
    }
    if (!options->data) snprintf(attune->data, size, "%s/data", options->shop);
    attune->host_log = options->log;
    attune->host_log_arg = options->log_arg;
    attune->log = (struct at_log){.fd = options->log_fd > 0 ? options->log_fd : -1,
                                  .hook = options->log ? on_log : NULL,
                                  .hook_arg = attune};
    struct at_shop_options shop = {.folder = options->shop,
                                   .data = attune->data,
                                   .host_loop = options->loop,
                                   .memory_bytes = options->memory,
                                   .now_ms = options->now_ms,
                                   .watchdog_signal = options->watchdog_signal,
                                   .log = &attune->log};
    if (at_shop_open(&attune->shop, &shop, &err) == AT_OK) {
        *out = attune;
        return 0;
    }
    give_error(said, &err);
    free(attune->data);
    free(attune);
    return -1;
}

static void on_shop_closed(void *arg) {
    struct attune *attune = arg;
    void (*on_closed)(void *) = attune->on_closed;
    void *on_closed_arg = attune->on_closed_arg;
    free(attune->data);
    free(attune);
    if (on_closed) on_closed(on_closed_arg);
}

static void close_if_idle(struct attune *attune) {
    if (attune->is_closing && !attune->open_calls) at_shop_close(attune->shop, on_shop_closed, attune);
}

void attune_close(struct attune *attune, void (*on_closed)(void *arg), void *arg) {
    attune->on_closed = on_closed;
    attune->on_closed_arg = arg;
    attune->is_closing = true;
    at_shop_backup_stop(attune->shop);
    close_if_idle(attune); /* else the last answer does */
}

/* ---- calls ---- */

static void call_over(struct at_task *task) {
    struct local_call *call = (struct local_call *)((char *)task - offsetof(struct local_call, over));
    struct attune *attune = call->attune;
    if (call->parser) at_worker_give_parser(at_shop_worker(attune->shop, 0), call->parser);
    at_arena_clear(&call->arena);
    free(call);
    attune->open_calls--;
    close_if_idle(attune);
}

static void answer_host(struct local_call *call, int status, struct at_text body) {
    char *text = malloc(body.length + 1); /* the host may read it as a C string */
    struct attune_answer answer = {text ? status : 503, text ? text : "", text ? body.length : 0};
    if (text) {
        if (body.length) memcpy(text, body.data, body.length);
        text[body.length] = 0;
    }
    call->on_answer(call->arg, &answer);
    free(text);
    call->over.run = call_over;
    at_loop_post(at_worker_loop(at_shop_worker(call->attune->shop, 0)), &call->over);
}

static void on_exchange_answer(struct at_exchange *exchange, const struct at_answer *answer) {
    struct local_call *call = (struct local_call *)((char *)exchange - offsetof(struct local_call, exchange));
    bool is_head = call->request.method == AT_HEAD;
    answer_host(call, answer->status, is_head ? (struct at_text){"", 0} : answer->body);
}

static struct local_call *call_new(struct attune *attune, struct at_text body, attune_on_answer on_answer,
                                   void *arg, struct attune_error *err) {
    if (attune->is_closing) {
        fail(err, "closing", "the shop is closing");
        return NULL;
    }
    struct local_call *call = calloc(1, sizeof *call);
    struct at_text copy = {NULL, 0};
    if (call) {
        at_arena_init(&call->arena, 1u << 30);
        copy = at_json_padded(&call->arena, body);
    }
    if (!copy.data) {
        free(call);
        fail(err, "no_memory", "out of memory");
        return NULL;
    }
    call->attune = attune;
    call->on_answer = on_answer;
    call->arg = arg;
    call->request.body = copy;
    call->request.is_padded = true;
    call->request.is_loopback = true;
    call->request.arena = &call->arena;
    call->exchange = (struct at_exchange){&call->request, on_exchange_answer, NULL};
    attune->open_calls++;
    return call;
}

static enum at_method method_of(const char *word) {
    static const char *const words[] = {
        [AT_GET] = "GET",     [AT_HEAD] = "HEAD",     [AT_POST] = "POST",      [AT_PUT] = "PUT",
        [AT_PATCH] = "PATCH", [AT_DELETE] = "DELETE", [AT_OPTIONS] = "OPTIONS"};
    for (size_t i = 0; i < AT_LENGTH(words); i++)
        if (strcmp(words[i], word) == 0) return (enum at_method)i;
    return AT_METHOD_OTHER;
}

int attune_call(struct attune *attune, const struct attune_request *request, attune_on_answer on_answer,
                void *arg, struct attune_error *err) {
    if (!request->method || !request->path || request->path[0] != '/')
        return fail(err, "bad_request", "a request has a method and a path that begins with /");
    enum at_method method = method_of(request->method);
    if (method == AT_METHOD_OTHER) return fail(err, "bad_request", "this method is not known here");
    struct local_call *call =
        call_new(attune, (struct at_text){request->body, request->length}, on_answer, arg, err);
    if (!call) return -1;
    size_t length = strlen(request->path);
    char *path = at_arena_dup(&call->arena, request->path, length);
    const char *mark = path ? strchr(path, '?') : NULL;
    call->request.method = method;
    call->request.path =
        (struct at_text){path ? path : "/", path ? (mark ? (size_t)(mark - path) : length) : 1};
    call->request.query = mark ? at_text_of(mark + 1) : AT_TEXT("");
    at_api_handle(at_shop_worker(attune->shop, 0), &call->exchange, true);
    return 0;
}

static void job_over(struct at_job *job) {
    struct local_call *call = job->arg;
    struct at_bytes out = job->out, failure; /* the answer ends the call */
    if (job->status == AT_OK && out.failed)  /* half an answer is none */
        job->status = at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    if (job->status == AT_OK)
        answer_host(call, 200, (struct at_text){out.data, out.length});
    else {
        struct at_text text = at_api_write_error(&failure, job->status, &job->err);
        answer_host(call, at_api_http_status(job->status), text);
        at_bytes_clear(&failure);
    }
    at_bytes_clear(&out);
}

/* Parsed here; what is no JSON is answered like any other bad input. */
static struct local_call *job_new(struct attune *attune, struct at_text json, attune_on_answer on_answer,
                                  void *arg, struct at_json *body, struct attune_error *err) {
    struct local_call *call = call_new(attune, json, on_answer, arg, err);
    if (!call) return NULL;
    struct at_worker *worker = at_shop_worker(attune->shop, 0);
    call->job = (struct at_job){.worker = worker,
                                .arena = &call->arena,
                                .is_secret = true,
                                .source = "default",
                                .done = job_over,
                                .arg = call};
    at_bytes_init(&call->job.out, 1u << 28);
    call->job.text = call->request.body;
    call->parser = at_worker_take_parser(worker);
    call->job.status = call->parser ? at_json_parse(call->parser, call->request.body.data, json.length, true,
                                                    body, &call->job.err)
                                    : at_fail(&call->job.err, AT_NOMEM, NULL, "out of memory");
    return call;
}

int attune_track(struct attune *attune, const char *type, const char *json, size_t length,
                 attune_on_answer on_answer, void *arg, struct attune_error *err) {
    struct at_json body;
    struct local_call *call = job_new(attune, (struct at_text){json, length}, on_answer, arg, &body, err);
    if (!call) return -1;
    if (call->job.status == AT_OK)
        at_shop_track(&call->job, type, body, false);
    else
        job_over(&call->job);
    return 0;
}

int attune_decide(struct attune *attune, const char *json, size_t length, attune_on_answer on_answer,
                  void *arg, struct attune_error *err) {
    struct at_json body;
    struct local_call *call = job_new(attune, (struct at_text){json, length}, on_answer, arg, &body, err);
    if (!call) return -1;
    if (call->job.status == AT_OK)
        at_shop_decide(&call->job, NULL, body);
    else
        job_over(&call->job);
    return 0;
}
