/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers: the one table from status to HTTP, the one shape of an error.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "api/internal.h"

int at_api_http_status(enum at_status status) {
    switch (status) {
    case AT_OK:
    case AT_DUPLICATE: return 200;
    case AT_INVALID: return 400;
    case AT_UNAUTHORIZED: return 401;
    case AT_FORBIDDEN: return 403;
    case AT_NOTFOUND: return 404;
    case AT_CONFLICT: return 409;
    case AT_TOOBIG: return 413;
    case AT_UNSUPPORTED: return 415;
    case AT_UNPROCESSABLE: return 422;
    case AT_STALE:
    case AT_BUSY:
    case AT_FULL:
    case AT_IO:
    case AT_NOMEM:
    case AT_STOPPED: return 503;
    case AT_FAILED: return 500;
    }
    return 500;
}

/* more: at most 500 bytes; an origin at most 256. */
static void headers_of(const struct call *call, int status, const char *more, char *out, size_t size) {
    size_t length = strlen(more);
    memcpy(out, more, length + 1);
    if (status == 503 || status == 429)
        length += (size_t)snprintf(out + length, size - length, "Retry-After: 1\r\n");
    if (status == 401)
        length +=
            (size_t)snprintf(out + length, size - length, "WWW-Authenticate: Basic realm=\"attune\"\r\n");
    if (call->origin.length)
        snprintf(out + length, size - length, "Access-Control-Allow-Origin: %.*s\r\nVary: Origin\r\n",
                 (int)call->origin.length, call->origin.data);
}

void call_answer(struct call *call, int status, struct at_text body) {
    call_answer_with(call, status, "", body);
}

void call_answer_with(struct call *call, int status, const char *more, struct at_text body) {
    char headers[1000];
    headers_of(call, status, more, headers, sizeof headers);
    struct at_answer answer = {.status = status,
                               .content_type = call->content_type,
                               .headers = headers[0] ? headers : NULL,
                               .body = body};
    if (call->parser) at_worker_give_parser(call->worker, call->parser);
    call->parser = NULL;
    at_shop_count_answer(call->worker,
                         call->label   ? call->label
                         : call->route ? call->route->name
                                       : "none",
                         status, (at_ticks_ns() - call->began_ns) / 1000);
    call->exchange->answer(call->exchange, &answer);
}

struct at_text at_api_write_error(struct at_bytes *body, enum at_status status, const struct at_error *err) {
    at_bytes_init(body, 1 << 16);
    struct at_json_out out = at_json_out(body);
    at_json_open(&out, '{');
    at_json_key(&out, "error");
    at_json_open(&out, '{');
    at_json_add_string(&out, "code", err->code[0] ? err->code : at_status_word(status));
    at_json_add_string(&out, "message", err->message[0] ? err->message : "this could not be done");
    if (err->field[0]) at_json_add_string(&out, "field", err->field);
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    if (body->failed) return AT_TEXT("{\"error\":{\"code\":\"no_memory\",\"message\":\"out of memory\"}}");
    return (struct at_text){body->data, body->length};
}

static void answer_error(struct call *call, enum at_status status, const struct at_error *err) {
    struct at_bytes body;
    struct at_text text = at_api_write_error(&body, status, err);
    call->content_type = NULL;
    call_answer(call, at_api_http_status(status), text);
    at_bytes_clear(&body);
}

/* A job is over. An error with a body of its own (findings of scripts) brings it in out. */
void call_done(struct at_job *job) {
    struct call *call = (struct call *)job;
    struct at_worker *worker = call->worker;
    struct at_bytes out = job->out;         /* the answer ends the arena the call lives in */
    if (job->status == AT_OK && out.failed) /* half an answer is none */
        job->status = at_fail(&job->err, AT_NOMEM, NULL, "out of memory");
    bool has_own_body = job->status == AT_UNPROCESSABLE && out.length && !out.failed &&
                        memcmp(out.data, "{\"error\"", 8) == 0;
    if (job->status == AT_OK || has_own_body) {
        if (has_own_body) call->content_type = NULL;
        call_answer(call, at_api_http_status(job->status),
                    (struct at_text){out.data ? out.data : "", out.length});
    } else
        answer_error(call, job->status, &job->err);
    out_give(worker, &out);
}

void call_fail(struct call *call, enum at_status status, const char *code, const char *field, const char *fmt,
               ...) {
    struct at_error err = {0};
    va_list args;
    va_start(args, fmt);
    vsnprintf(err.message, sizeof err.message, fmt, args);
    va_end(args);
    if (code) snprintf(err.code, sizeof err.code, "%s", code);
    if (field) snprintf(err.field, sizeof err.field, "%s", field);
    out_give(call->worker, &call->job.out);
    answer_error(call, status, &err);
}
