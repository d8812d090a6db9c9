/* SPDX-License-Identifier: Apache-2.0
 *
 * /openapi.json: OpenAPI 3.1, from the table of routes and schemas.c.
 */
#include <stdio.h>
#include <string.h>
#include "api/internal.h"

/* What a parameter means; where names mean several things, by the beginning of the path. */
static const struct {
    const char *name, *path, *schema, *means;
} parameters[] = {
    {"id", "/v1/catalog/", "{\"type\":\"string\"}", "The product's id"},
    {"id", "/v1/customers/", "{\"type\":\"string\"}", "attune's id of the person"},
    {"id", "/v1/decisions/", "{\"type\":\"string\"}", "The decision's id"},
    {"id", "/v1/generations/", "{\"type\":\"integer\",\"minimum\":1}", "The generation's number"},
    {"id", "/v1/privacy/", "{\"type\":\"string\"}", "The request's id"},
    {"state", "",
     "{\"type\":\"string\",\"enum\":[\"unreachable\",\"ready\",\"waiting\",\"done\",\"refused\",\"nothing\"]"
     "}",
     "Only those in this state"},
    {"name", "/v1/imports/", "{\"type\":\"string\"}", "The name of the mark"},
    {"kind", "", "{\"type\":\"string\"}", "anonymous_id, user_id, email, phone or a kind of shop.lua"},
    {"value", "", "{\"type\":\"string\"}", "The identifier, percent-encoded"},
    {"name", "", "{\"type\":\"string\"}", "The segment as the script names it, percent-encoded"},
    {"path", "", "{\"type\":\"string\"}",
     "The script's path in the shop's folder: scripts/rankings/a.lua; its slashes may stand as they are"},
    {"writeKey", "", "{\"type\":\"string\"}", "A write key"},
    {"why_not", "", "{\"type\":\"string\"}", "A product: why it is not there, or further down"},
    {"complete", "", "{\"type\":\"boolean\",\"default\":false}",
     "What is not in it is retired; refused if that is more than a tenth, unless sure"},
    {"sure", "", "{\"type\":\"boolean\",\"default\":false}", "Retire more than a tenth"},
    {"limit", "", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000}", "How many to answer"},
    {"cursor", "", "{\"type\":\"string\"}", "next of the page before"},
    {"message", "", "{\"type\":\"string\"}", "Kept with the generation"},
    {"line", "", "{\"type\":\"integer\",\"minimum\":1}", "A line of the script as it serves"},
    {"expect", "", "{\"type\":\"integer\",\"minimum\":1}",
     "The generation this change was made from; 409 if another serves"},
};

static const char *word_of(enum at_method method) {
    switch (method) {
    case AT_POST: return "post";
    case AT_PUT: return "put";
    case AT_PATCH: return "patch";
    case AT_DELETE: return "delete";
    default: return "get";
    }
}

static void write_path(const char *path, char *out, size_t size) {
    size_t n = 0;
    for (; *path && n + 1 < size; path++)
        if (*path != '*') out[n++] = *path;
    out[n] = 0;
}

static void write_parameter(struct at_json_out *out, const struct route *route, const char *name,
                            size_t length, const char *in) {
    struct at_text text = {name, length};
    at_json_open(out, '{');
    at_json_add_text(out, "name", text);
    at_json_add_string(out, "in", in);
    at_json_add_bool(out, "required", strcmp(in, "path") == 0);
    for (size_t i = 0; i < AT_LENGTH(parameters); i++) {
        if (!at_text_is(text, parameters[i].name)) continue;
        if (strncmp(route->path, parameters[i].path, strlen(parameters[i].path)) != 0) continue;
        at_json_add_string(out, "description", parameters[i].means);
        at_json_key(out, "schema");
        at_json_put_raw(out, parameters[i].schema, strlen(parameters[i].schema));
        break;
    }
    at_json_close(out, '}');
}

/* What a signed webhook brings beside its body. */
static void write_headers(struct at_json_out *out) {
    static const char *const headers[][2] = {
        {"X-Shopify-Hmac-Sha256",
         "base64 of the HMAC-SHA256 of the body with one of the secrets of shop.lua"},
        {"X-Shopify-Topic", "What it is about: orders/create"},
        {"X-Shopify-Webhook-Id", "Of the delivery: once taken it is known again"},
        {"X-Shopify-Event-Id", "Of what happened: its effects are counted once"},
        {"X-Shopify-Shop-Domain", "The shop it is of"},
        {"X-Shopify-Triggered-At", "When it happened, where the body does not say it"}};
    for (size_t i = 0; i < AT_LENGTH(headers); i++) {
        at_json_open(out, '{');
        at_json_add_string(out, "name", headers[i][0]);
        at_json_add_string(out, "in", "header");
        at_json_add_bool(out, "required", i < 2);
        at_json_add_string(out, "description", headers[i][1]);
        at_json_key(out, "schema");
        at_json_put_raw(out, "{\"type\":\"string\"}", 17);
        at_json_close(out, '}');
    }
}

static void write_parameters(const struct route *route, struct at_json_out *out) {
    at_json_key(out, "parameters");
    at_json_open(out, '[');
    for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{'))
        write_parameter(out, route, at + 1, strcspn(at + 1, "*}"), "path");
    for (const char *at = route->query; at && *at;) {
        size_t length = strcspn(at, ",");
        write_parameter(out, route, at, length, "query");
        at += length + (at[length] == ',');
    }
    if (route->handle == handle_shopify) write_headers(out);
    at_json_close(out, ']');
}

/* schema: a name of schemas.c, or the media type of what is no JSON. */
static void write_media(struct at_json_out *out, const char *media, const char *schema) {
    char reference[100];
    at_json_key(out, media);
    at_json_open(out, '{');
    at_json_key(out, "schema");
    at_json_open(out, '{');
    snprintf(reference, sizeof reference, "#/components/schemas/%s", schema);
    if (strchr(schema, '/'))
        at_json_add_string(out, "type", "string");
    else
        at_json_add_string(out, "$ref", reference);
    at_json_close(out, '}');
    at_json_close(out, '}');
}

static void write_content(struct at_json_out *out, const char *schema, bool has_lines) {
    at_json_key(out, "content");
    at_json_open(out, '{');
    write_media(out, strchr(schema, '/') ? schema : "application/json", schema);
    if (has_lines) write_media(out, "application/x-ndjson", "text/lines");
    at_json_close(out, '}');
}

static void write_error(struct at_json_out *out, const char *status, const char *means) {
    at_json_key(out, status);
    at_json_open(out, '{');
    at_json_add_string(out, "description", means);
    if (strcmp(status, "503") == 0) {
        static const char retry[] = "{\"Retry-After\":{\"required\":true,\"schema\":{\"type\":\"integer\"},"
                                    "\"description\":\"Seconds\"}}";
        at_json_key(out, "headers");
        at_json_put_raw(out, retry, sizeof retry - 1);
    }
    write_content(out, "Error", false);
    at_json_close(out, '}');
}

/* What may go wrong follows from what the route takes. */
static void write_errors(const struct route *route, struct at_json_out *out) {
    bool has_params = strchr(route->path, '{') != NULL, has_body = route->body != BODY_NONE,
         has_key_in_path = strstr(route->path, "{writeKey}") != NULL,
         may_conflict = route->handle == handle_track || route->handle == handle_publish ||
                        route->handle == handle_backup;
    if (has_params || has_body || route->query)
        write_error(out, "400", "Malformed: the JSON, with the byte, or an escape in the address");
    bool is_signed = route->handle == handle_shopify;
    if (route->key != AT_KEY_NONE || has_key_in_path) write_error(out, "401", "No key, or an unknown one");
    if (is_signed) write_error(out, "401", "None of the secrets of shop.lua signed this body");
    if (is_signed) write_error(out, "403", "Of another shop");
    if (is_signed) write_error(out, "404", "Shopify is no source of this shop");
    if (route->key == AT_KEY_SECRET) write_error(out, "403", "Needs the secret key");
    bool has_secret_fields =
        route->handle == handle_decide || (route->request && strcmp(route->request, "Import") == 0);
    if (has_secret_fields) write_error(out, "403", "A field of it needs the secret key");
    if (has_params && !has_key_in_path) write_error(out, "404", "There is none of this name");
    if (may_conflict) write_error(out, "409", "Something else is there under this id, or serves by now");
    if (has_body) write_error(out, "413", "Larger than the limits allow");
    if (has_body) write_error(out, "415", "A media type or encoding that is not read");
    if (has_body || has_params || route->query) write_error(out, "422", "Well-formed, but not acceptable");
    write_error(out, "503", "Not just now: nothing of it was taken");
    write_error(out, "default", "Any other error: code for programs, message for people");
}

static void write_answers(const struct route *route, struct at_json_out *out) {
    at_json_key(out, "responses");
    at_json_open(out, '{');
    at_json_key(out, "200");
    at_json_open(out, '{');
    at_json_add_string(out, "description", "Done");
    if (route->answer) write_content(out, route->answer, false);
    at_json_close(out, '}');
    write_errors(route, out);
    at_json_close(out, '}');
}

/* One of them is enough; the secret key opens everything. */
static void write_security(const struct route *route, struct at_json_out *out) {
    static const char *const names[] = {"write_key", "write_key_bearer", "secret_key", "secret_key_basic"};
    at_json_key(out, "security");
    at_json_open(out, '[');
    size_t first = route->key == AT_KEY_WRITE ? 0 : 2;
    for (size_t i = first; route->key != AT_KEY_NONE && i < AT_LENGTH(names); i++) {
        at_json_open(out, '{');
        at_json_key(out, names[i]);
        at_json_put_raw(out, "[]", 2);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
}

static void write_operation(const struct route *route, struct at_json_out *out) {
    at_json_key(out, word_of(route->method));
    at_json_open(out, '{');
    at_json_add_string(out, "operationId", route->name);
    at_json_add_string(out, "summary", route->summary);
    write_parameters(route, out);
    if (route->body != BODY_NONE && route->request) {
        at_json_key(out, "requestBody");
        at_json_open(out, '{');
        at_json_add_bool(out, "required", route->body != BODY_OPTIONAL_JSON);
        write_content(out, route->request, route->handle == handle_items);
        at_json_close(out, '}');
    }
    write_answers(route, out);
    write_security(route, out);
    at_json_close(out, '}');
}

static bool was_before(const struct route *route) {
    for (const struct route *at = routes; at < route; at++)
        if (!at->is_alias && strcmp(at->path, route->path) == 0) return true;
    return false;
}

static void write_paths(struct at_json_out *out) {
    at_json_key(out, "paths");
    at_json_open(out, '{');
    for (const struct route *route = routes; route->path; route++) {
        char path[128];
        if (route->is_alias || was_before(route)) continue;
        write_path(route->path, path, sizeof path);
        at_json_key(out, path);
        at_json_open(out, '{');
        for (const struct route *at = route; at->path; at++)
            if (!at->is_alias && strcmp(at->path, route->path) == 0) write_operation(at, out);
        at_json_close(out, '}');
    }
    at_json_close(out, '}');
}

static void write_schemes(struct at_json_out *out) {
    static const struct {
        const char *name, *scheme, *means;
    } all[] = {
        {"write_key", "basic", "A write key as user name, the password empty; or as writeKey in the body"},
        {"write_key_bearer", "bearer", "A write key"},
        {"secret_key", "bearer", "A secret key. With no keys configured, calls from this machine hold it"},
        {"secret_key_basic", "basic", "A secret key as user name, the password empty"}};
    at_json_key(out, "securitySchemes");
    at_json_open(out, '{');
    for (size_t i = 0; i < AT_LENGTH(all); i++) {
        at_json_key(out, all[i].name);
        at_json_open(out, '{');
        at_json_add_string(out, "type", "http");
        at_json_add_string(out, "scheme", all[i].scheme);
        at_json_add_string(out, "description", all[i].means);
        at_json_close(out, '}');
    }
    at_json_close(out, '}');
}

void handle_openapi(struct call *call) {
    struct at_json_out out = at_json_out(&call->job.out);
    at_json_open(&out, '{');
    at_json_add_string(&out, "openapi", "3.1.0");
    at_json_key(&out, "info");
    at_json_open(&out, '{');
    at_json_add_string(&out, "title", "attune");
    at_json_add_string(&out, "version", AT_VERSION);
    at_json_add_string(
        &out, "description",
        "JSON in UTF-8. HEAD works wherever GET does, OPTIONS everywhere. Bodies may be gzip, and "
        "text/plain is read as JSON. The short addresses of the tracking SDKs (/v1/t, /v1/i, /v1/p, "
        "/v1/s, /v1/g, /v1/a, /v1/b) are the same as the long ones.");
    at_json_close(&out, '}');
    write_paths(&out);
    at_json_key(&out, "components");
    at_json_open(&out, '{');
    write_schemes(&out);
    schemas_write(&out);
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    call_done(&call->job);
}
