/* SPDX-License-Identifier: Apache-2.0
 *
 * A request's way: route, body, key, handler. And the listeners of the workers.
 */
#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/utf8.h"
#include "api/internal.h"

#define OUT_MAX_BYTES  (1u << 28)
#define OUTS_MAX       128          /* answers may be on their way at once: one for each open connection */
#define OUTS_MAX_BYTES (1u << 20)   /* all that is kept of one worker */
#define OUT_KEPT_BYTES (128u << 10) /* what one large answer needed is not kept for small ones */
/* What a page may send: a browser holds back a request with any other. The last one the SDKs send with a
 * retry. */
#define PAGE_HEADERS "authorization, content-type, x-retry-count"

struct at_api {
    char host[256], unix_path[4200];
    _Atomic int port;
};
struct face { /* of one worker */
    struct at_api *api;
    struct at_worker *worker;
    struct at_server *server, *local;
    int open;
    struct at_bytes outs[OUTS_MAX]; /* empty ones with room, for the next answers */
    uint32_t out_count;
    size_t out_bytes;
};

/* ---- buffers of answers ---- */

/* A host's loop has no face: there a buffer is made for each answer. */
void out_take(struct at_worker *worker, struct at_bytes *out) {
    struct face *face = at_worker_face(worker);
    if (face && face->out_count) {
        *out = face->outs[--face->out_count];
        face->out_bytes -= out->capacity;
    } else
        at_bytes_init(out, OUT_MAX_BYTES);
}

void out_give(struct at_worker *worker, struct at_bytes *out) {
    struct face *face = at_worker_face(worker);
    if (face && out->data && out->capacity <= OUT_KEPT_BYTES && face->out_count < OUTS_MAX &&
        face->out_bytes + out->capacity <= OUTS_MAX_BYTES) {
        at_bytes_reset(out);
        face->out_bytes += out->capacity;
        face->outs[face->out_count++] = *out;
    } else
        at_bytes_clear(out);
    *out = (struct at_bytes){0};
}

static void face_free(struct face *face) {
    while (face->out_count) at_bytes_clear(&face->outs[--face->out_count]);
    free(face);
}

/* ---- one request ---- */

static bool starts_with(struct at_text text, const char *prefix) {
    size_t length = strlen(prefix);
    return text.length >= length && strncasecmp(text.data, prefix, length) == 0;
}

/* The body of a write-key route may say it is text/plain: that is what sendBeacon can send. */
static bool read_body(struct call *call) {
    enum body_kind kind = call->route->body;
    struct at_error err = {0};
    if (kind != BODY_JSON && kind != BODY_OPTIONAL_JSON) return true;
    struct at_text type = at_request_header(call->request, "content-type");
    bool is_read = !type.length || starts_with(type, "application/json") || starts_with(type, "text/plain") ||
                   starts_with(type, "application/x-www-form-urlencoded") ||
                   starts_with(type, "application/x-ndjson");
    if (!is_read) {
        call_fail(call, AT_UNSUPPORTED, "unsupported_type", "content-type", "send application/json, not %.*s",
                  (int)(type.length < 100 ? type.length : 100), type.data);
        return false;
    }
    if (kind == BODY_OPTIONAL_JSON && !call->request->body.length) return true;
    call->parser = at_worker_take_parser(call->worker);
    enum at_status status =
        call->parser ? at_json_parse(call->parser, call->request->body.data, call->request->body.length,
                                     call->request->is_padded, &call->body, &err)
                     : at_fail(&err, AT_NOMEM, NULL, "out of memory");
    if (status == AT_OK) return true;
    call_fail(call, status, status == AT_INVALID ? "bad_json" : NULL, NULL, "%s", err.message);
    return false;
}

static bool check_key(struct call *call) {
    if (call->route->key == AT_KEY_NONE) return true;
    call->key = call_key(call);
    if (call->key.class == AT_KEY_NONE) {
        call_fail(call, AT_UNAUTHORIZED, "no_key", NULL,
                  at_request_header(call->request, "authorization").data
                      ? "this key is not known: see keys in shop.lua"
                      : "bring a key: as Basic user name, as Bearer, or as writeKey in the body");
        return false;
    }
    if (call->key.class >= call->route->key) return true;
    call_fail(call, AT_FORBIDDEN, "secret_only", NULL,
              "a write key sends events and asks for decisions; this needs the secret key");
    return false;
}

/* Exactly "1" is the signal; of several headers any. */
static bool has_gpc(const struct at_request *request) {
    for (uint32_t i = 0; i < request->header_count; i++) {
        const struct at_header *header = &request->headers[i];
        if (header->name.length == 7 && strncasecmp(header->name.data, "sec-gpc", 7) == 0 &&
            at_text_is(header->value, "1"))
            return true;
    }
    return false;
}

/* CORS: only the origins of shop.lua, only where write keys may go. */
static void note_origin(struct call *call) {
    struct at_text origin = at_request_header(call->request, "origin");
    if (!origin.length || origin.length > 256 || !route_takes_write_key(call->request->path)) return;
    if (at_shop_allows_origin(at_worker_shop(call->worker), origin)) call->origin = origin;
}

static void answer_nowhere(struct call *call) {
    call_fail(call, AT_NOTFOUND, "unknown_address", NULL,
              "there is nothing here: /openapi.json says what there is");
}

static void answer_options(struct call *call) {
    char allow[128] = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", headers[500];
    bool other;
    if (!at_text_is(call->request->path, "*")) {
        route_allow(call->request->path, allow, sizeof allow);
        call->route = route_find(AT_OPTIONS, call->request->path, call->params, &other);
        if (call->route) return handle_later(call); /* only a later version has it */
        if (!other) return answer_nowhere(call);
    }
    snprintf(headers, sizeof headers, "Allow: %s\r\n", allow);
    if (call->origin.length) {
        size_t length = strlen(headers);
        snprintf(headers + length, sizeof headers - length,
                 "Access-Control-Allow-Methods: %s\r\n"
                 "Access-Control-Allow-Headers: " PAGE_HEADERS "\r\n"
                 "Access-Control-Max-Age: 86400\r\n",
                 allow);
    }
    call->label = "options";
    call_answer_with(call, 204, headers, AT_TEXT(""));
}

static void answer_unrouted(struct call *call, bool other) {
    char allow[128], headers[200];
    if (!other) return answer_nowhere(call);
    route_allow(call->request->path, allow, sizeof allow);
    snprintf(headers, sizeof headers, "Allow: %s\r\n", allow);
    call_answer_with(call, 405, headers,
                     AT_TEXT("{\"error\":{\"code\":\"method_not_allowed\",\"message\":"
                             "\"this address has other methods: see Allow\"}}"));
}

/* Escapes are right everywhere or the request is refused: a parameter that cannot be read is not "absent". */
static bool read_address(struct call *call) {
    struct at_error err = {0};
    struct at_text query = call->request->query;
    size_t bad;
    enum at_status status = route_params(call->route, call->request->arena, call->params, &err);
    if (status == AT_OK && call->route->query && query.length) {
        status = at_percent_decode(call->request->arena, query, true, &query);
        if (status == AT_NOMEM)
            at_fail(&err, status, NULL, "out of memory");
        else if (status != AT_OK || !at_utf8_valid(query.data, query.length, &bad))
            status = at_fail_field(&err, AT_INVALID, "bad_query", "query",
                                   "what follows ? is wrong: write it in UTF-8, its bytes escaped as %%20");
    }
    if (status != AT_OK)
        call_fail(call, status, err.code, err.field[0] ? err.field : NULL, "%s", err.message);
    return status == AT_OK;
}

void at_api_handle(struct at_worker *worker, struct at_exchange *exchange, bool is_owner) {
    struct at_request *request = exchange->request;
    struct call *call = at_arena_zalloc(request->arena, sizeof *call);
    if (!call) {
        struct at_answer answer = {
            .status = 503,
            .headers = "Retry-After: 1\r\n",
            .body = AT_TEXT("{\"error\":{\"code\":\"no_memory\",\"message\":\"out of memory\"}}")};
        exchange->answer(exchange, &answer);
        return;
    }
    call->worker = worker;
    call->exchange = exchange;
    call->request = request;
    call->is_owner = is_owner;
    call->began_ns = at_ticks_ns();
    call->job.worker = worker;
    call->job.arena = request->arena;
    call->job.done = call_done;
    call->job.source = "default";
    note_origin(call);
    if (request->method == AT_OPTIONS) return answer_options(call);
    bool other = false;
    call->route = route_find(request->method, request->path, call->params, &other);
    if (!call->route) return answer_unrouted(call, other);
    /* A key in the header is looked at before the body is read; only the SDKs' writeKey is in it. */
    bool has_header = at_request_header(request, "authorization").data != NULL;
    bool is_early = has_header || call->route->key != AT_KEY_WRITE;
    if (is_early && !check_key(call)) return;
    if (!read_address(call)) return;
    if (!read_body(call)) return;
    if (!is_early && !check_key(call)) return;
    call->job.is_secret = call->key.class == AT_KEY_SECRET;
    if (call->key.source) call->job.source = call->key.source;
    call->job.has_gpc = has_gpc(request);
    call->job.text = request->body;
    out_take(worker, &call->job.out);
    call->route->handle(call);
}

/* ---- listeners ---- */

static void on_request(void *arg, struct at_exchange *exchange) {
    struct face *face = arg;
    at_api_handle(face->worker, exchange, false);
}

static void on_local_request(void *arg, struct at_exchange *exchange) {
    struct face *face = arg;
    at_api_handle(face->worker, exchange, true);
}

static uint32_t body_limit(void *arg, const struct at_request *head) {
    (void)arg;
    struct at_text params[PARAMS_MAX];
    bool other;
    const struct route *route = route_find(head->method, head->path, params, &other);
    return route ? route->body_max : 0;
}

static void on_refusal(void *arg, int status, const char *code) {
    struct face *face = arg;
    (void)code;
    at_shop_count_answer(face->worker, "none", status, 0);
}

struct at_api *at_api_new(const struct at_api_options *options, struct at_error *err) {
    struct at_api *api = calloc(1, sizeof *api);
    if (!api) {
        at_fail(err, AT_NOMEM, NULL, "out of memory");
        return NULL;
    }
    snprintf(api->host, sizeof api->host, "%s", options->host);
    snprintf(api->unix_path, sizeof api->unix_path, "%s", options->unix_path ? options->unix_path : "");
    atomic_store(&api->port, options->port);
    return api;
}

void at_api_free(struct at_api *api) {
    free(api);
}
int at_api_port(const struct at_api *api) {
    return atomic_load(&((struct at_api *)(uintptr_t)api)->port);
}

static enum at_status open_local(struct face *face, const struct at_server_limits *limits,
                                 struct at_account *account, struct at_error *err) {
    char where[4300];
    struct at_server_handler handler = {face, on_local_request, body_limit, on_refusal};
    if (!face->api->unix_path[0] || at_worker_index(face->worker)) return AT_OK;
    snprintf(where, sizeof where, "unix:%s", face->api->unix_path);
    enum at_status status =
        at_server_open(&face->local, at_worker_loop(face->worker), where, 0, limits, &handler, account, err);
    if (status == AT_OK) return status;
    /* The shop serves without it; only the verbs of this machine miss it. */
    at_log(at_shop_log(at_worker_shop(face->worker)), AT_LOG_WARN, "serve",
           "%s: attune's other verbs cannot reach this server", err->message);
    face->local = NULL;
    return AT_OK;
}

enum at_status at_api_worker_start(void *arg, struct at_worker *worker, struct at_error *err) {
    struct at_api *api = arg;
    struct face *face = calloc(1, sizeof *face);
    if (!face) return at_fail(err, AT_NOMEM, NULL, "out of memory");
    face->api = api;
    face->worker = worker;
    struct at_account *account = &at_shop_ledger(at_worker_shop(worker))->accounts[AT_ACCOUNT_REQUESTS];
    struct at_server_limits limits = at_server_limits_default;
    struct at_server_handler handler = {face, on_request, body_limit, on_refusal};
    enum at_status status = at_server_open(&face->server, at_worker_loop(worker), api->host,
                                           atomic_load(&api->port), &limits, &handler, account, err);
    if (status == AT_OK) {
        atomic_store(&api->port, at_server_port(face->server));
        status = open_local(face, &limits, account, err);
    }
    if (status != AT_OK) {
        face_free(face);
        return status;
    }
    at_worker_set_face(worker, face);
    return AT_OK;
}

static void on_closed(void *arg) {
    struct face *face = arg;
    struct at_worker *worker = face->worker;
    if (--face->open) return;
    at_worker_set_face(worker, NULL);
    face_free(face);
    at_worker_stopped(worker);
}

static void on_drained(void *arg) {
    struct face *face = arg;
    at_server_close(face->server, on_closed, face);
}

static void on_local_drained(void *arg) {
    struct face *face = arg;
    at_server_close(face->local, on_closed, face);
}

void at_api_worker_stop(void *arg, struct at_worker *worker) {
    struct face *face = at_worker_face(worker);
    (void)arg;
    face->open = 1 + (face->local != NULL);
    struct at_server *local = face->local; /* the face may be gone after the first */
    at_server_drain(face->server, on_drained, face);
    if (local) at_server_drain(local, on_local_drained, face);
}
