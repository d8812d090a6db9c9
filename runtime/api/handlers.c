/* SPDX-License-Identifier: Apache-2.0
 *
 * One handler an operation: reads the path, the query and the body, calls the shop.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/utf8.h"
#include "api/internal.h"

/* False: answered with what is wrong. A flag that nobody understands is not a "no". */
static bool read_flag(struct call *call, const char *name, bool *out) {
    struct at_text text = at_request_param(call->request, name);
    *out = at_text_is(text, "true") || at_text_is(text, "1");
    if (!text.data || *out || at_text_is(text, "false") || at_text_is(text, "0")) return true;
    call_fail(call, AT_UNPROCESSABLE, "bad_boolean", name, "%s is true or false", name);
    return false;
}

/* False: answered with what is wrong. */
static bool read_limit(struct call *call, uint32_t *out) {
    struct at_text text = at_request_param(call->request, "limit");
    char *rest;
    *out = 0;
    if (!text.data) return true;
    long n = strtol(text.data, &rest, 10);
    if (*rest || !text.length || n < 1 || n > 1000) {
        call_fail(call, AT_UNPROCESSABLE, "bad_number", "limit", "limit is a whole number from 1 to 1000");
        return false;
    }
    *out = (uint32_t)n;
    return true;
}

static void fail_object(struct call *call) {
    call_fail(call, AT_INVALID, "not_an_object", NULL, "send one JSON object");
}

static struct at_text none(void) {
    return (struct at_text){NULL, 0};
}

/* ---- events and decisions ---- */

void handle_track(struct call *call) {
    const char *type = call->route->argument;
    bool is_import = type && strcmp(type, "import") == 0;
    at_shop_track(&call->job, is_import ? NULL : type, call->body, is_import);
}

void handle_import(struct call *call) {
    at_shop_import(&call->job, call->params[0]);
}

/* Shopify's next interface leaves the X- out. */
static struct at_text shopify_header(const struct call *call, const char *name) {
    struct at_text value = at_request_header(call->request, name);
    if (!value.data) value = at_request_header(call->request, name + 2);
    return value.data ? value : (struct at_text){"", 0};
}

/* The signature is the key. */
void handle_shopify(struct call *call) {
    struct at_webhook *sent = at_arena_alloc(call->request->arena, sizeof *sent);
    if (!sent) return call_fail(call, AT_NOMEM, NULL, NULL, "out of memory");
    *sent = (struct at_webhook){.signature = shopify_header(call, "X-Shopify-Hmac-Sha256"),
                                .topic = shopify_header(call, "X-Shopify-Topic"),
                                .id = shopify_header(call, "X-Shopify-Webhook-Id"),
                                .event_id = shopify_header(call, "X-Shopify-Event-Id"),
                                .domain = shopify_header(call, "X-Shopify-Shop-Domain"),
                                .triggered_at = shopify_header(call, "X-Shopify-Triggered-At"),
                                .body = call->request->body};
    at_shop_shopify(&call->job, sent);
}

void handle_decide(struct call *call) {
    at_shop_decide(&call->job, call->route->argument, call->body);
}

void handle_decision(struct call *call) {
    at_shop_decision(&call->job, call->params[0], at_request_param(call->request, "why_not"));
}

/* ---- catalog ---- */

void handle_items(struct call *call) {
    bool is_put = strcmp(call->route->argument, "put") == 0, is_complete = false, is_sure = false;
    if (is_put && (!read_flag(call, "complete", &is_complete) || !read_flag(call, "sure", &is_sure))) return;
    at_shop_items(&call->job, is_put ? AT_ITEMS_PUT : AT_ITEMS_PATCH, call->request->body, is_complete,
                  is_sure);
}

void handle_item(struct call *call) {
    if (call->route->method == AT_PATCH)
        at_shop_item_patch(&call->job, call->params[0], call->body);
    else if (call->route->method == AT_DELETE)
        at_shop_item_delete(&call->job, call->params[0]);
    else
        at_shop_item_get(&call->job, call->params[0]);
}

void handle_attributes(struct call *call) {
    at_shop_attributes(&call->job);
}

/* ---- people ---- */

static bool read_customer(struct call *call, struct at_text *kind, struct at_text *value) {
    bool is_by = call->route->argument != NULL;
    *kind = is_by ? call->params[0] : none();
    *value = call->params[is_by];
    if (!is_by || at_shop_has_kind(at_worker_shop(call->worker), *kind)) return true;
    call_fail(call, AT_UNPROCESSABLE, "unknown_kind", "kind",
              "a customer is found by anonymous_id, user_id, email, phone and the kinds of shop.lua");
    return false;
}

void handle_customer(struct call *call) {
    struct at_text kind, value;
    if (read_customer(call, &kind, &value)) at_shop_customer(&call->job, kind, value);
}

void handle_identity(struct call *call) {
    struct at_text kind, value;
    if (read_customer(call, &kind, &value)) at_shop_identity(&call->job, kind, value);
}

void handle_unmerge(struct call *call) {
    struct at_text kind, value;
    if (read_customer(call, &kind, &value)) at_shop_unmerge(&call->job, kind, value, call->body);
}

void handle_rehearse_identity(struct call *call) {
    at_shop_rehearse_identity(&call->job);
}

void handle_audit(struct call *call) {
    at_shop_audit(&call->job);
}

void handle_consent(struct call *call) {
    struct at_text kind, value;
    if (read_customer(call, &kind, &value)) at_shop_consent(&call->job, kind, value, call->body);
}

/* That this site honours the signal, and since when (w3c/gpc). */
void handle_gpc(struct call *call) {
    struct at_json_out out = at_json_out(&call->job.out);
    at_json_open(&out, '{');
    at_json_add_bool(&out, "gpc", true);
    at_json_add_string(&out, "lastUpdate", "2026-11-26");
    at_json_close(&out, '}');
    call_done(&call->job);
}

void handle_timeline(struct call *call) {
    struct at_text kind, value;
    uint32_t limit;
    if (read_customer(call, &kind, &value) && read_limit(call, &limit))
        at_shop_timeline(&call->job, kind, value, limit, at_request_param(call->request, "cursor"));
}

void handle_customer_decisions(struct call *call) {
    struct at_text kind, value;
    uint32_t limit;
    if (read_customer(call, &kind, &value) && read_limit(call, &limit))
        at_shop_customer_decisions(&call->job, kind, value, limit);
}

void handle_export(struct call *call) {
    struct at_text kind, value;
    if (read_customer(call, &kind, &value)) at_shop_export(&call->job, kind, value);
}

void handle_erase(struct call *call) {
    struct at_text kind, value;
    if (read_customer(call, &kind, &value)) at_shop_erase(&call->job, kind, value);
}

static const char *const request_states[] = {"unreachable", "ready", "waiting", "done", "refused", "nothing"};

void handle_requests(struct call *call) {
    struct at_text state = at_request_param(call->request, "state");
    bool is_known = !state.length;
    uint32_t limit;
    for (size_t i = 0; i < AT_LENGTH(request_states); i++) is_known |= at_text_is(state, request_states[i]);
    if (!is_known)
        return call_fail(call, AT_UNPROCESSABLE, "bad_state", "state",
                         "state is unreachable, ready, waiting, done, refused or nothing");
    if (read_limit(call, &limit)) at_shop_requests(&call->job, state, limit);
}

void handle_request(struct call *call) {
    if (call->route->method == AT_GET) return at_shop_request(&call->job, call->params[0]);
    if (call->params[0].length) return at_shop_request_move(&call->job, call->params[0], call->body);
    at_shop_request_add(&call->job, call->body);
}

/* ---- segments ---- */

void handle_segments(struct call *call) {
    at_shop_segments(&call->job);
}

void handle_segment(struct call *call) {
    uint32_t limit;
    if (read_limit(call, &limit))
        at_shop_segment(&call->job, call->params[0], limit, at_request_param(call->request, "cursor"));
}

/* ---- scripts ---- */

void handle_scripts(struct call *call) {
    at_shop_scripts(&call->job);
}
void handle_generations(struct call *call) {
    at_shop_generations(&call->job);
}
/* "confirm": a list of names, or nothing. False: answered. */
static bool read_confirm(struct call *call, struct at_json *out) {
    *out = at_json_get(call->body, "confirm");
    bool is_good = at_json_is_array(*out) || !out->tape || at_json_is_null(*out);
    struct at_json_each it = at_json_each(*out);
    while (is_good && at_json_is_array(*out) && at_json_next(&it)) is_good = at_json_is_string(it.value);
    if (!is_good)
        call_fail(call, AT_UNPROCESSABLE, "bad_confirm", "confirm",
                  "confirm is a list of names of rails: \"confirm\":[\"in stock only\"]");
    return is_good;
}

void handle_unhold(struct call *call) {
    struct at_json confirm;
    if (call->body.tape && !at_json_is_object(call->body)) return fail_object(call);
    if (read_confirm(call, &confirm)) at_shop_unhold(&call->job, confirm);
}

static bool read_number(struct at_text text, uint64_t *out) {
    char number[32] = "", *rest;
    if (!text.length || text.length >= sizeof number) return false;
    memcpy(number, text.data, text.length);
    errno = 0;
    *out = strtoull(number, &rest, 10);
    return !*rest && !errno && number[0] >= '0' && number[0] <= '9';
}

/* PUT and DELETE of one path are a publish of one file: its JSON is made here, so that there is one way. */
static void publish_one(struct call *call, bool is_put) {
    struct at_text path = call->params[0], expect_text = at_request_param(call->request, "expect");
    uint64_t expect = 0;
    size_t bad;
    /* Written into JSON it would be changed silently. */
    if (is_put && !at_utf8_valid(call->request->body.data, call->request->body.length, &bad))
        return call_fail(call, AT_INVALID, "bad_utf8", NULL, "byte %zu of the script is not UTF-8", bad);
    if (expect_text.data && !read_number(expect_text, &expect))
        return call_fail(call, AT_UNPROCESSABLE, "bad_number", "expect", "expect is a generation's number");
    struct at_bytes text;
    struct at_error err = {0};
    struct at_json files;
    at_bytes_init(&text, 64u << 20);
    struct at_json_out out = at_json_out(&text);
    at_json_open(&out, '{');
    at_json_key_text(&out, path);
    if (is_put)
        at_json_put_text(&out, call->request->body);
    else
        at_json_put_null(&out);
    at_json_close(&out, '}');
    call->parser = at_worker_take_parser(call->worker);
    enum at_status status = text.failed || !call->parser
                                ? AT_NOMEM
                                : at_json_parse(call->parser, text.data, text.length, false, &files, &err);
    at_bytes_clear(&text);
    if (status != AT_OK)
        return call_fail(call, status, NULL, "body", "%s", err.message[0] ? err.message : "out of memory");
    at_shop_publish(&call->job, files, (struct at_json){0}, at_request_param(call->request, "message"),
                    expect, false);
}

void handle_publish(struct call *call) {
    const char *what = call->route->argument;
    if (strcmp(what, "put") == 0 || strcmp(what, "delete") == 0) return publish_one(call, what[0] == 'p');
    struct at_json files = at_json_get(call->body, "files"), expect_json = at_json_get(call->body, "expect");
    struct at_json message = at_json_get(call->body, "message"), confirm;
    int64_t expect = 0;
    if (!at_json_is_object(call->body)) return fail_object(call);
    if (!read_confirm(call, &confirm)) return;
    if (message.tape && !at_json_is_null(message) && !at_json_is_string(message))
        return call_fail(call, AT_UNPROCESSABLE, "bad_text", "message", "message is a text");
    if (!at_json_is_object(files))
        return call_fail(call, AT_UNPROCESSABLE, "no_files", "files",
                         "say which files: \"files\":{\"scripts/rankings/a.lua\":\"text\"}");
    if (expect_json.tape && !at_json_is_null(expect_json) &&
        (!at_json_int(expect_json, &expect) || expect < 1))
        return call_fail(call, AT_UNPROCESSABLE, "bad_number", "expect", "expect is a generation's number");
    at_shop_publish(&call->job, files, confirm, at_json_text(message), (uint64_t)expect,
                    strcmp(what, "check") == 0);
}

/* A generation's number, or nothing. False: answered. */
static bool read_generation(struct call *call, const char *name, uint64_t *out) {
    struct at_json json = at_json_get(call->body, name);
    int64_t number = 0;
    bool is_good = !json.tape || at_json_is_null(json) || (at_json_int(json, &number) && number > 0);
    *out = (uint64_t)number;
    if (!is_good) call_fail(call, AT_UNPROCESSABLE, "bad_number", name, "%s is a generation's number", name);
    return is_good;
}

void handle_diff(struct call *call) {
    struct at_comparison asked = {.files = at_json_get(call->body, "files")};
    struct at_json complete = at_json_get(call->body, "complete"),
                   settings = at_json_get(call->body, "settings");
    bool has_files = asked.files.tape && !at_json_is_null(asked.files);
    if (!at_json_is_object(call->body)) return fail_object(call);
    if (!read_generation(call, "from", &asked.from) || !read_generation(call, "to", &asked.to)) return;
    if (has_files && (asked.to || !at_json_is_object(asked.files)))
        return call_fail(call, AT_UNPROCESSABLE, "bad_files", "files",
                         asked.to ? "compare with files or with the generation \"to\", not with both"
                                  : "files are texts by path: \"files\":{\"scripts/a.lua\":\"text\"}");
    if (complete.tape && !at_json_is_null(complete) && !at_json_bool(complete, &asked.is_complete))
        return call_fail(call, AT_UNPROCESSABLE, "bad_boolean", "complete", "complete is true or false");
    if (settings.tape && !at_json_is_null(settings) && !at_json_is_string(settings))
        return call_fail(call, AT_UNPROCESSABLE, "bad_text", "settings",
                         "settings is the text of a shop.lua");
    asked.is_complete = asked.is_complete && has_files;
    asked.settings = at_json_text(settings);
    at_shop_diff(&call->job, &asked);
}

void handle_blame(struct call *call) {
    uint64_t line;
    if (!read_number(call->params[0], &line) || !line || line > UINT32_MAX)
        return call_fail(call, AT_NOTFOUND, "unknown_line", NULL, "lines have numbers, from 1");
    at_shop_blame(&call->job, call->params[1], (uint32_t)line);
}

void handle_activate(struct call *call) {
    uint64_t id;
    bool restores = false;
    if (!read_number(call->params[0], &id) || !id)
        return call_fail(call, AT_NOTFOUND, "unknown_generation", NULL,
                         "generations have numbers: GET /v1/generations lists them");
    struct at_json restore = at_json_get(call->body, "restore");
    if (call->body.tape && !at_json_is_object(call->body)) return fail_object(call);
    if (restore.tape && !at_json_is_null(restore) && !at_json_bool(restore, &restores))
        return call_fail(call, AT_UNPROCESSABLE, "bad_boolean", "restore", "restore is true or false");
    at_shop_activate(&call->job, id, restores);
}

/* ---- keeping it ---- */

/* The file is written as this process: who may say where is who may open its data folder, not who has a key.
 */
void handle_backup(struct call *call) {
    struct at_json file = at_json_get(call->body, "file"), force = at_json_get(call->body, "force");
    bool replaces = false;
    if (!call->is_owner)
        return call_fail(
            call, AT_FORBIDDEN, "local_only", NULL,
            "a backup writes a file on the server's machine: run attune backup FILE there, or call "
            "through attune.sock in the data folder");
    if (!at_json_is_object(call->body)) return fail_object(call);
    if (!at_json_is_string(file))
        return call_fail(call, AT_UNPROCESSABLE, "bad_path", "file",
                         "say where: \"file\":\"/backups/shop.db\"");
    if (force.tape && !at_json_is_null(force) && !at_json_bool(force, &replaces))
        return call_fail(call, AT_UNPROCESSABLE, "bad_boolean", "force", "force is true or false");
    at_shop_backup(&call->job, at_json_text(file), replaces);
}

void handle_backup_state(struct call *call) {
    at_shop_backup_state(&call->job);
}

void handle_resume(struct call *call) {
    at_shop_resume_sending(&call->job);
}

/* ---- watching ---- */

void handle_health(struct call *call) {
    at_bytes_add_text(&call->job.out, "{\"status\":\"ok\"}");
    call_done(&call->job);
}

void handle_ready(struct call *call) {
    at_shop_ready(&call->job);
}

void handle_metrics(struct call *call) {
    call->content_type = "text/plain; version=0.0.4";
    at_shop_metrics(&call->job);
}

struct listener {
    struct at_subscription *subscription;
    struct at_stream *stream;
};

static bool on_live(void *arg, const char *event, struct at_text json) {
    struct listener *listener = arg;
    struct at_bytes text;
    at_bytes_init(&text, 1 << 20);
    at_bytes_printf(&text, "event: %s\ndata: %.*s\n\n", event, (int)json.length, json.data);
    bool is_sent = !text.failed && listener->stream &&
                   at_stream_send(listener->stream, (struct at_text){text.data, text.length});
    at_bytes_clear(&text);
    return is_sent;
}

static void on_live_closed(void *arg) {
    struct listener *listener = arg;
    if (listener->subscription) at_subscription_free(listener->subscription);
    free(listener);
}

void handle_live(struct call *call) {
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener) listener->subscription = at_shop_subscribe(call->worker, on_live, listener);
    if (!listener || !listener->subscription || !call->exchange->stream) {
        if (listener && listener->subscription) at_subscription_free(listener->subscription);
        free(listener);
        return call_fail(call, AT_UNPROCESSABLE, "no_stream", NULL, "a stream needs a connection of its own");
    }
    at_shop_count_answer(call->worker, call->route->name, 200, 0);
    out_give(call->worker, &call->job.out);
    listener->stream = call->exchange->stream(call->exchange, on_live_closed, listener);
    if (!listener->stream) return on_live_closed(listener);
    at_stream_send(listener->stream, AT_TEXT("event: hello\ndata: {}\n\n"));
}

void handle_settings(struct call *call) {
    struct at_key_match key = at_shop_key(at_worker_shop(call->worker), call->params[0].data,
                                          call->params[0].length, call->request->is_loopback);
    /* An address is kept in logs on its way: a secret key in it counts as none. */
    if (key.class == AT_KEY_NONE ||
        (key.class == AT_KEY_SECRET && at_shop_has_keys(at_worker_shop(call->worker))))
        return call_fail(call, AT_UNAUTHORIZED, "unknown_key", "writeKey", "this write key is not known");
    struct at_text host = at_request_header(call->request, "host");
    struct at_json_out out = at_json_out(&call->job.out);
    at_json_open(&out, '{');
    at_json_key(&out, "integrations");
    at_json_open(&out, '{');
    at_json_key(&out, "Segment.io");
    at_json_open(&out, '{');
    at_json_add_text(&out, "apiKey", call->params[0]);
    if (host.length) {
        char api_host[300];
        snprintf(api_host, sizeof api_host, "%.*s/v1", (int)(host.length < 256 ? host.length : 256),
                 host.data);
        at_json_add_string(&out, "apiHost", api_host);
    }
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    /* Without this the SDK tells a server of Segment's every 30 s which of its calls a page made. */
    at_json_key(&out, "metrics");
    at_json_open(&out, '{');
    at_json_add_int(&out, "sampleRate", 0);
    at_json_close(&out, '}');
    at_json_key(&out, "plan");
    at_json_put_raw(&out, "{\"track\":{\"__default\":{\"enabled\":true,\"integrations\":{}}}}", 58);
    at_json_close(&out, '}');
    call_done(&call->job);
}

void handle_later(struct call *call) {
    call_fail(call, AT_NOTFOUND, "not_in_this_version", NULL, "%s is not in this version", call->route->path);
}
