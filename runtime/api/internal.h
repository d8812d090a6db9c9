/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to api/: a call on its way, the table of routes.
 */
#ifndef AT_API_INTERNAL_H
#define AT_API_INTERNAL_H

#include "api/api.h"

#define PARAMS_MAX 3

struct call {          /* one request; lives in its arena */
    struct at_job job; /* first */
    struct at_worker *worker;
    struct at_exchange *exchange;
    struct at_request *request;
    const struct route *route;
    struct at_text params[PARAMS_MAX]; /* parts of the path: as sent when found, then decoded */
    struct at_key_match key;
    struct at_text origin; /* an allowed one, to be echoed */
    struct at_json_parser *parser;
    struct at_json body;
    const char *content_type;
    const char *label; /* in the metrics, if it is not the route's name */
    uint64_t began_ns;
    bool is_owner;
};

enum body_kind { BODY_NONE, BODY_JSON, BODY_OPTIONAL_JSON, BODY_RAW };
struct route {
    enum at_method method;
    const char *path;      /* "/v1/customers/by/{kind}/{value}" */
    enum at_key_class key; /* the least that may */
    enum body_kind body;
    uint32_t body_max; /* 0: the server's */
    void (*handle)(struct call *call);
    const char *argument; /* what tells routes of one handler apart: "track" */
    const char *name;     /* in metrics and as operationId */
    const char *summary;
    const char *request, *answer; /* schemas of openapi.c, or NULL */
    const char *query;            /* "limit,cursor" or NULL */
    bool is_alias;                /* another spelling: not in the document */
};
extern const struct route routes[]; /* ends with a NULL path */
/* The route, its params as sent (route_params decodes them). NULL: none; *other: that path exists with other
 * methods. A path that only a later version has is found whatever the method. HEAD finds GET. */
const struct route *route_find(enum at_method method, struct at_text path, struct at_text params[PARAMS_MAX],
                               bool *other);
/* Decode what route_find left in params. AT_INVALID: a broken escape, a NUL, no UTF-8. */
enum at_status route_params(const struct route *route, struct at_arena *arena,
                            struct at_text params[PARAMS_MAX], struct at_error *err) AT_MUST_CHECK;
bool route_is_later(const struct route *route);
/* "GET, HEAD, OPTIONS" of the path: what answers in this version; "OPTIONS" alone if nothing does. */
void route_allow(struct at_text path, char *out, size_t size);
bool route_takes_write_key(struct at_text path);

/* schemas.c: a schema, then its fields; the notation of a type is in schema.c. Ends with a NULL name. */
struct schema_row {
    bool is_schema;
    const char *name; /* "...": all fields of the schema that type names */
    const char *type; /* of a schema: NULL for an object */
    const char *means;
    const char *limits; /* more members of its JSON Schema, or NULL */
};
extern const struct schema_row schema_rows[];
void schemas_write(struct at_json_out *out); /* "schemas":{…} */

/* answer.c */
void call_done(struct at_job *job);
void call_fail(struct call *call, enum at_status status, const char *code, const char *field, const char *fmt,
               ...) AT_PRINTF(5, 6);
void call_answer(struct call *call, int status, struct at_text body);
/* The same with more header lines, each ended by \r\n. */
void call_answer_with(struct call *call, int status, const char *headers, struct at_text body);

/* api.c: buffers of answers, kept by a worker's face so that a warm answer needs no malloc. */
void out_take(struct at_worker *worker, struct at_bytes *out);
void out_give(struct at_worker *worker, struct at_bytes *out);

/* keys.c: finds the key a request brings. */
struct at_key_match call_key(struct call *call);

/* handlers.c */
void handle_track(struct call *call);
void handle_import(struct call *call);
void handle_shopify(struct call *call);
void handle_decide(struct call *call);
void handle_decision(struct call *call);
void handle_items(struct call *call);
void handle_item(struct call *call);
void handle_attributes(struct call *call);
void handle_customer(struct call *call);
void handle_identity(struct call *call);
void handle_unmerge(struct call *call);
void handle_rehearse_identity(struct call *call);
void handle_audit(struct call *call);
void handle_consent(struct call *call);
void handle_export(struct call *call);
void handle_erase(struct call *call);
void handle_requests(struct call *call);
void handle_request(struct call *call);
void handle_gpc(struct call *call);
void handle_timeline(struct call *call);
void handle_customer_decisions(struct call *call);
void handle_segments(struct call *call);
void handle_segment(struct call *call);
void handle_scripts(struct call *call);
void handle_publish(struct call *call);
void handle_diff(struct call *call);
void handle_blame(struct call *call);
void handle_generations(struct call *call);
void handle_activate(struct call *call);
void handle_unhold(struct call *call);
void handle_backup(struct call *call);
void handle_backup_state(struct call *call);
void handle_resume(struct call *call);
void handle_health(struct call *call);
void handle_ready(struct call *call);
void handle_metrics(struct call *call);
void handle_live(struct call *call);
void handle_openapi(struct call *call);
void handle_settings(struct call *call);
void handle_later(struct call *call);

#endif
