/* SPDX-License-Identifier: Apache-2.0
 *
 * /openapi.json: OpenAPI 3.1, from the table of routes and the schemas below.
 */
#include <stdio.h>
#include <string.h>
#include "api/internal.h"

#define STRING   "{\"type\":\"string\"}"
#define INTEGER  "{\"type\":\"integer\"}"
#define NUMBER   "{\"type\":\"number\"}"
#define BOOLEAN  "{\"type\":\"boolean\"}"
#define OBJECT   "{\"type\":\"object\"}"
#define LIST(of) "{\"type\":\"array\",\"items\":" of "}"
#define TIME     "{\"type\":\"string\",\"format\":\"date-time\"}"
#define WHO                                                                                                  \
    "{\"type\":\"object\",\"description\":\"Whom the list is for\",\"properties\":{\"user_id\":" STRING      \
    ",\"anonymous_id\":" STRING ",\"email\":" STRING ",\"phone\":" STRING "}}"
#define WHERE                                                                                                \
    "{\"type\":\"object\",\"description\":\"A filter: "                                                      \
    "{\\\"category\\\":\\\"sofas\\\",\\\"price\\\":{\\\"at_most\\\":500}}; {} is everything\"}"
#define LIST_ASK                                                                                             \
    "\"ranking\":" STRING                                                                                    \
    ",\"items\":" LIST(STRING) ",\"where\":" WHERE ",\"sort\":" STRING ",\"fields\":" LIST(                  \
        STRING) ",\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000},\"offset\":{\"type\":"    \
                "\"integer\",\"minimum\":0}"
#define AROUND                                                                                               \
    "\"customer\":" WHO ",\"context\":" OBJECT ",\"decision\":" STRING ",\"at\":" TIME                       \
    ",\"explain\":" BOOLEAN ",\"dry_run\":" BOOLEAN
#define RANKED_ITEMS                                                                                         \
    "\"items\":" LIST("{\"type\":\"object\",\"required\":[\"id\",\"score\"],\"properties\":{\"id\":" STRING  \
                      ",\"score\":{\"type\":[\"number\",\"null\"]},\"propensity\":" NUMBER                   \
                      "}}") ",\"total\":" INTEGER ",\"unknown\":" LIST(STRING) ",\"fallback\":" STRING

static const struct {
    const char *name, *schema;
} schemas[] = {
    {"Error", "{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{\"type\":\"object\","
              "\"required\":[\"code\",\"message\"],\"properties\":{\"code\":" STRING ",\"message\":" STRING
              ",\"field\":" STRING ",\"findings\":" LIST(OBJECT) "}}}}"},
    {"Event", "{\"type\":\"object\",\"description\":\"As the tracking SDKs send it; anonymousId or userId is "
              "needed\",\"properties\":{\"type\":" STRING ",\"messageId\":" STRING ",\"anonymousId\":" STRING
              ",\"userId\":" STRING ",\"event\":" STRING ",\"name\":" STRING ",\"properties\":" OBJECT
              ",\"traits\":" OBJECT ",\"context\":" OBJECT ",\"timestamp\":" TIME
              ",\"originalTimestamp\":" TIME ",\"sentAt\":" TIME ",\"integrations\":" OBJECT
              ",\"groupId\":" STRING ",\"previousId\":" STRING ",\"writeKey\":" STRING "}}"},
    {"Batch", "{\"type\":\"object\",\"required\":[\"batch\"],\"properties\":{\"batch\":{\"type\":\"array\","
              "\"maxItems\":2500,\"items\":{\"$ref\":\"#/components/schemas/Event\"}},\"context\":" OBJECT
              ",\"sentAt\":" TIME ",\"writeKey\":" STRING "}}"},
    {"Success", "{\"type\":\"object\",\"required\":[\"success\"],\"properties\":{\"success\":" BOOLEAN "}}"},
    {"BatchResult",
     "{\"type\":\"object\",\"required\":[\"success\",\"results\"],\"properties\":{\"success\":" BOOLEAN
     ",\"results\":" LIST(
         "{\"type\":\"object\",\"required\":[\"status\"],\"properties\":{\"status\":{\"enum\":[\"accepted\","
         "\"duplicate\",\"conflict\",\"invalid\"]},\"message\":" STRING "}}") "}}"},
    {"SdkSettings",
     "{\"type\":\"object\",\"required\":[\"integrations\"],\"properties\":{\"integrations\":" OBJECT
     ",\"plan\":" OBJECT "}}"},
    {"Rank", "{\"type\":\"object\",\"required\":[\"ranking\"],\"properties\":{" AROUND "," LIST_ASK "}}"},
    {"Ranked", "{\"type\":\"object\",\"required\":[\"decision\",\"generation\",\"items\",\"total\"],"
               "\"properties\":{\"decision\":" STRING ",\"generation\":" INTEGER "," RANKED_ITEMS "}}"},
    {"Decide", "{\"type\":\"object\",\"required\":[\"ask\"],\"properties\":{" AROUND
               ",\"ask\":{\"type\":\"object\",\"maxProperties\":32,\"additionalProperties\":{\"type\":"
               "\"object\",\"required\":[\"ranking\"],\"properties\":{" LIST_ASK "}}}}}"},
    {"Decided", "{\"type\":\"object\",\"required\":[\"decision\",\"generation\",\"answers\"],\"properties\":{"
                "\"decision\":" STRING ",\"generation\":" INTEGER
                ",\"answers\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"object\","
                "\"properties\":{" RANKED_ITEMS ",\"error\":" OBJECT "}}}}}"},
    {"Explained", "{\"type\":\"object\",\"required\":[\"decision\"],\"properties\":{\"decision\":" STRING
                  ",\"generation\":" INTEGER ",\"at\":" TIME ",\"script\":" STRING ",\"items\":" LIST(
                      OBJECT) ",\"not\":" LIST(OBJECT) ",\"answers\":" OBJECT ",\"answer\":" OBJECT "}}"},
    {"Item", "{\"type\":\"object\",\"properties\":{\"id\":" STRING ",\"title\":" STRING ",\"price\":" NUMBER
             ",\"list_price\":" NUMBER ",\"cost\":" NUMBER ",\"stock\":{},\"brand\":" STRING
             ",\"category\":" STRING ",\"tags\":" LIST(STRING) ",\"updated_at\":" TIME "}}"},
    {"Items", "{\"description\":\"A JSON array of items, or one item a "
              "line\",\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Item\"}}"},
    {"ItemsResult",
     "{\"type\":\"object\",\"required\":[\"accepted\",\"unchanged\",\"invalid\",\"retired\",\"results\"],"
     "\"properties\":{\"accepted\":" INTEGER ",\"unchanged\":" INTEGER ",\"invalid\":" INTEGER
     ",\"retired\":" INTEGER ",\"results\":" LIST(
         "{\"type\":\"object\",\"required\":[\"id\",\"status\"],\"properties\":{\"id\":{\"type\":[\"string\","
         "\"null\"]},\"status\":{\"enum\":[\"accepted\",\"unchanged\",\"not_found\",\"invalid\"]},"
         "\"line\":" INTEGER ",\"message\":" STRING ",\"field\":" STRING "}}") "}}"},
    {"ItemResult", "{\"type\":\"object\",\"required\":[\"id\",\"status\"],\"properties\":{\"id\":" STRING
                   ",\"status\":" STRING "}}"},
    {"Customer",
     "{\"type\":\"object\",\"required\":[\"id\",\"identifiers\",\"traits\",\"orders\",\"session\","
     "\"affinity\"],\"properties\":{\"id\":" STRING ",\"identifiers\":" LIST(
         "{\"type\":\"object\",\"properties\":{\"kind\":" STRING ",\"value\":" STRING ",\"since\":" TIME
         "}}") ",\"traits\":" OBJECT ",\"orders\":" OBJECT ",\"session\":" OBJECT ",\"basket\":" OBJECT
               ",\"affinity\":" OBJECT ",\"counts\":" OBJECT "}}"},
    {"Timeline", "{\"type\":\"object\",\"required\":[\"events\",\"next\"],\"properties\":{\"events\":" LIST(
                     "{\"type\":\"object\",\"required\":[\"message_id\",\"event\",\"name\",\"timestamp\","
                     "\"properties\"],\"properties\":{\"message_id\":" STRING ",\"event\":" STRING
                     ",\"name\":" STRING ",\"timestamp\":" TIME ",\"properties\":" OBJECT
                     "}}") ",\"next\":{\"type\":[\"string\",\"null\"]}}}"},
    {"Decisions",
     "{\"type\":\"object\",\"required\":[\"decisions\"],\"properties\":{\"decisions\":" LIST(OBJECT) "}}"},
    {"Scripts", "{\"type\":\"object\",\"required\":[\"generation\",\"held\",\"files\"],\"properties\":{"
                "\"generation\":" INTEGER ",\"held\":" BOOLEAN ",\"scripts\":" STRING
                ",\"files\":" LIST("{\"type\":\"object\",\"properties\":{\"path\":" STRING
                                   ",\"size\":" INTEGER ",\"text\":" STRING "}}") "}}"},
    {"Publish", "{\"type\":\"object\",\"required\":[\"files\"],\"properties\":{\"files\":{\"type\":"
                "\"object\",\"additionalProperties\":{\"type\":[\"string\",\"null\"]}},\"message\":" STRING
                ",\"expect\":" INTEGER "}}"},
    {"ScriptText", STRING},
    {"Published", "{\"type\":\"object\",\"required\":[\"generation\",\"held\",\"warnings\"],\"properties\":{"
                  "\"generation\":" INTEGER ",\"held\":" BOOLEAN ",\"warnings\":" LIST(OBJECT) "}}"},
    {"Activate", "{\"type\":\"object\",\"properties\":{\"restore\":" BOOLEAN "}}"},
    {"Generations", "{\"type\":\"object\",\"required\":[\"active\",\"held\",\"generations\"],\"properties\":{"
                    "\"active\":" INTEGER ",\"held\":" BOOLEAN ",\"generations\":" LIST(
                        "{\"type\":\"object\",\"properties\":{\"id\":" INTEGER ",\"at\":" TIME
                        ",\"source\":" STRING ",\"message\":" STRING ",\"files\":" INTEGER "}}") "}}"},
    {"Health", "{\"type\":\"object\",\"required\":[\"status\"],\"properties\":{\"status\":" STRING "}}"},
    {"Ready", "{\"type\":\"object\",\"required\":[\"ready\",\"generation\",\"held\",\"scripts\"],"
              "\"properties\":{\"ready\":" BOOLEAN ",\"generation\":" INTEGER ",\"held\":" BOOLEAN
              ",\"scripts\":{\"enum\":[\"ok\",\"stale\"]},\"products\":" INTEGER "}}"},
    {"OpenApi", OBJECT},
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

static void write_parameter(struct at_json_out *out, const char *name, size_t length, const char *in) {
    at_json_open(out, '{');
    at_json_add_text(out, "name", (struct at_text){name, length});
    at_json_add_string(out, "in", in);
    at_json_add_bool(out, "required", strcmp(in, "path") == 0);
    at_json_key(out, "schema");
    at_json_put_raw(out, STRING, sizeof STRING - 1);
    at_json_close(out, '}');
}

static void write_parameters(const struct route *route, struct at_json_out *out) {
    at_json_key(out, "parameters");
    at_json_open(out, '[');
    for (const char *at = strchr(route->path, '{'); at; at = strchr(at + 1, '{'))
        write_parameter(out, at + 1, strcspn(at + 1, "*}"), "path");
    for (const char *at = route->query; at && *at;) {
        size_t length = strcspn(at, ",");
        write_parameter(out, at, length, "query");
        at += length + (at[length] == ',');
    }
    at_json_close(out, ']');
}

static void write_content(struct at_json_out *out, const char *schema) {
    bool is_type = strchr(schema, '/') != NULL;
    at_json_key(out, "content");
    at_json_open(out, '{');
    at_json_key(out, is_type ? schema : "application/json");
    at_json_open(out, '{');
    at_json_key(out, "schema");
    at_json_open(out, '{');
    char reference[100];
    snprintf(reference, sizeof reference, "#/components/schemas/%s", schema);
    if (is_type)
        at_json_add_string(out, "type", "string");
    else
        at_json_add_string(out, "$ref", reference);
    at_json_close(out, '}');
    at_json_close(out, '}');
    at_json_close(out, '}');
}

static void write_answers(const struct route *route, struct at_json_out *out) {
    at_json_key(out, "responses");
    at_json_open(out, '{');
    at_json_key(out, "200");
    at_json_open(out, '{');
    at_json_add_string(out, "description", "Done");
    if (route->answer) write_content(out, route->answer);
    at_json_close(out, '}');
    at_json_key(out, "default");
    at_json_open(out, '{');
    at_json_add_string(out, "description", "An error: code for programs, message for people");
    write_content(out, "Error");
    at_json_close(out, '}');
    at_json_close(out, '}');
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
        write_content(out, route->request);
        at_json_close(out, '}');
    }
    write_answers(route, out);
    at_json_key(out, "security");
    at_json_open(out, '[');
    if (route->key != AT_KEY_NONE) {
        const char *name = route->key == AT_KEY_WRITE ? "write_key" : "secret_key";
        at_json_open(out, '{');
        at_json_key(out, name);
        at_json_put_raw(out, "[]", 2);
        at_json_close(out, '}');
    }
    at_json_close(out, ']');
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

void handle_openapi(struct call *call) {
    struct at_json_out out = at_json_out(&call->job.out);
    at_json_open(&out, '{');
    at_json_add_string(&out, "openapi", "3.1.0");
    at_json_key(&out, "info");
    at_json_open(&out, '{');
    at_json_add_string(&out, "title", "attune");
    at_json_add_string(&out, "version", AT_VERSION);
    at_json_close(&out, '}');
    write_paths(&out);
    at_json_key(&out, "components");
    at_json_open(&out, '{');
    at_json_key(&out, "securitySchemes");
    at_json_open(&out, '{');
    for (int i = 0; i < 2; i++) {
        at_json_key(&out, i ? "secret_key" : "write_key");
        at_json_open(&out, '{');
        at_json_add_string(&out, "type", "http");
        at_json_add_string(&out, "scheme", i ? "bearer" : "basic");
        at_json_close(&out, '}');
    }
    at_json_close(&out, '}');
    at_json_key(&out, "schemas");
    at_json_open(&out, '{');
    for (size_t i = 0; i < AT_LENGTH(schemas); i++) {
        at_json_key(&out, schemas[i].name);
        at_json_put_raw(&out, schemas[i].schema, strlen(schemas[i].schema));
    }
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    at_json_close(&out, '}');
    call_done(&call->job);
}
