/* SPDX-License-Identifier: Apache-2.0
 *
 * The one table of routes. What may be called, by whom, with what, is here and nowhere else; 404, 405,
 * OPTIONS and the OpenAPI document come from it.
 */
#include <stdio.h>
#include <string.h>
#include "base/utf8.h"
#include "api/internal.h"

#define EVENT_MAX   (600u * 1024)
#define CATALOG_MAX (64u << 20)
#define SCRIPTS_MAX (8u << 20)
#define SHOPIFY_MAX (5u << 20) /* a product of 2,000 variants */

#define EVENT(path, type, name, summary, alias)                                                              \
    {                                                                                                        \
        AT_POST, path, AT_KEY_WRITE, BODY_JSON, EVENT_MAX, handle_track, type, name, summary, "Event",       \
            "Success", NULL, alias                                                                           \
    }
#define BATCH(path, type, key, name, summary, alias)                                                         \
    {                                                                                                        \
        AT_POST, path, key, BODY_JSON, EVENT_MAX, handle_track, type, name, summary, "Batch", "BatchResult", \
            NULL, alias                                                                                      \
    }
#define LATER(method, path, name)                                                                            \
    {                                                                                                        \
        method, path, AT_KEY_NONE, BODY_NONE, 0, handle_later, NULL, name, "Not in this version", NULL,      \
            NULL, NULL, true                                                                                 \
    }

/* A route is found by looking from the top: what is asked most stands first. */
const struct route routes[] = {
    {AT_POST, "/v1/rank", AT_KEY_WRITE, BODY_JSON, 0, handle_decide, "rank", "rank",
     "Put products in order for one person", "Rank", "Ranked", NULL, false},
    {AT_POST, "/v1/decide", AT_KEY_WRITE, BODY_JSON, 0, handle_decide, NULL, "decide",
     "Everything one page needs, in one call", "Decide", "Decided", NULL, false},

    EVENT("/v1/track", "track", "track", "Take one event of something that happened", false),
    EVENT("/v1/page", "page", "page", "Take one page view", false),
    EVENT("/v1/identify", "identify", "identify", "Say who a visitor is, with traits", false),
    EVENT("/v1/screen", "screen", "screen", "Take one screen view of an app", false),
    EVENT("/v1/group", "group", "group", "Say which group a person belongs to", false),
    EVENT("/v1/alias", "alias", "alias", "Join two ids of one person", false),
    BATCH("/v1/batch", NULL, AT_KEY_WRITE, "batch", "Take up to 2,500 events; each has its own result",
          false),
    {AT_POST, "/v1/import", AT_KEY_WRITE, BODY_JSON, EVENT_MAX, handle_track, "import", "import",
     "Take events that happened earlier, at their own time; they trigger nothing", "Import", "BatchResult",
     NULL, false},
    EVENT("/v1/t", "track", "track", "Take one event", true),
    EVENT("/v1/p", "page", "page", "Take one page view", true),
    EVENT("/v1/i", "identify", "identify", "Say who a visitor is", true),
    EVENT("/v1/s", "screen", "screen", "Take one screen view", true),
    EVENT("/v1/g", "group", "group", "Say which group a person belongs to", true),
    EVENT("/v1/a", "alias", "alias", "Join two ids", true),
    BATCH("/v1/b", NULL, AT_KEY_WRITE, "batch", "Take events", true),
    {AT_GET, "/v1/projects/{writeKey}/settings", AT_KEY_NONE, BODY_NONE, 0, handle_settings, NULL,
     "sdk_settings", "What the browser SDK asks for at start", NULL, "SdkSettings", NULL, false},

    {AT_POST, "/v1/sources/shopify", AT_KEY_NONE, BODY_RAW, SHOPIFY_MAX, handle_shopify, NULL, "shopify",
     "Take a webhook that Shopify signed", "Webhook", "WebhookResult", NULL, false},

    {AT_GET, "/v1/decisions/{id}", AT_KEY_SECRET, BODY_NONE, 0, handle_decision, NULL, "decision",
     "Why a list was as it was", NULL, "Explained", "why_not", false},

    {AT_GET, "/v1/imports/{name}", AT_KEY_SECRET, BODY_NONE, 0, handle_import, NULL, "import_mark",
     "How far an import is, by the mark it left", NULL, "ImportMark", NULL, false},

    {AT_PUT, "/v1/catalog/items", AT_KEY_SECRET, BODY_RAW, CATALOG_MAX, handle_items, "put", "put_items",
     "Put products in: a JSON array or JSON lines", "Items", "ItemsResult", "complete,sure", false},
    {AT_PATCH, "/v1/catalog/items", AT_KEY_SECRET, BODY_RAW, CATALOG_MAX, handle_items, "patch",
     "patch_items", "Change up to 5,000 products, each with its own result", "Items", "ItemsResult", NULL,
     false},
    {AT_GET, "/v1/catalog/attributes", AT_KEY_SECRET, BODY_NONE, 0, handle_attributes, NULL, "attributes",
     "The attributes of the products, with their kinds", NULL, "Attributes", NULL, false},
    {AT_GET, "/v1/catalog/items/{id}", AT_KEY_SECRET, BODY_NONE, 0, handle_item, NULL, "get_item",
     "One product as it was put in", NULL, "Item", NULL, false},
    {AT_PATCH, "/v1/catalog/items/{id}", AT_KEY_SECRET, BODY_JSON, 0, handle_item, NULL, "patch_item",
     "Change one product", "Item", "ItemResult", NULL, false},
    {AT_DELETE, "/v1/catalog/items/{id}", AT_KEY_SECRET, BODY_NONE, 0, handle_item, NULL, "delete_item",
     "Retire one product", NULL, "ItemResult", NULL, false},

    {AT_GET, "/v1/customers/{id}", AT_KEY_SECRET, BODY_NONE, 0, handle_customer, NULL, "customer",
     "What is known of one person", NULL, "Customer", NULL, false},
    {AT_GET, "/v1/customers/{id}/timeline", AT_KEY_SECRET, BODY_NONE, 0, handle_timeline, NULL, "timeline",
     "What one person did, newest first", NULL, "Timeline", "limit,cursor", false},
    {AT_GET, "/v1/customers/{id}/decisions", AT_KEY_SECRET, BODY_NONE, 0, handle_customer_decisions, NULL,
     "customer_decisions", "What was decided for one person", NULL, "Decisions", "limit", false},
    {AT_GET, "/v1/customers/{id}/identity", AT_KEY_SECRET, BODY_NONE, 0, handle_identity, NULL, "identity",
     "Why these identifiers are one person", NULL, "Evidence", NULL, false},
    {AT_POST, "/v1/customers/{id}/unmerge", AT_KEY_SECRET, BODY_JSON, 0, handle_unmerge, NULL, "unmerge",
     "Take an identifier away from a person", "Unmerge", "Unmerged", NULL, false},
    {AT_POST, "/v1/customers/{id}/consent", AT_KEY_SECRET, BODY_JSON, 0, handle_consent, NULL, "consent",
     "Record what a person agreed to, or did not", "Consent", "ConsentResult", NULL, false},
    {AT_GET, "/v1/customers/{id}/export", AT_KEY_SECRET, BODY_NONE, 0, handle_export, NULL, "export",
     "Everything about one person, in one document", NULL, "Export", NULL, false},
    {AT_DELETE, "/v1/customers/{id}", AT_KEY_SECRET, BODY_NONE, 0, handle_erase, NULL, "erase",
     "Forget a person, irrevocably", NULL, "PrivacyRequest", NULL, false},
    {AT_GET, "/v1/customers/by/{kind}/{value}/export", AT_KEY_SECRET, BODY_NONE, 0, handle_export, "by",
     "export_by", "The same by an identifier", NULL, "Export", NULL, false},
    {AT_DELETE, "/v1/customers/by/{kind}/{value}", AT_KEY_SECRET, BODY_NONE, 0, handle_erase, "by",
     "erase_by", "The same by an identifier", NULL, "PrivacyRequest", NULL, false},
    {AT_GET, "/v1/privacy/requests", AT_KEY_SECRET, BODY_NONE, 0, handle_requests, NULL, "privacy_requests",
     "What people asked about their data, newest first", NULL, "PrivacyRequests", "state,limit", false},
    {AT_POST, "/v1/privacy/requests", AT_KEY_SECRET, BODY_JSON, 0, handle_request, NULL,
     "privacy_request_add", "Take a person's request about their data", "PrivacyAsk", "PrivacyRequest", NULL,
     false},
    {AT_GET, "/v1/privacy/requests/{id}", AT_KEY_SECRET, BODY_NONE, 0, handle_request, NULL,
     "privacy_request", "How far a request is; of an erasure the signed receipt", NULL, "PrivacyRequest",
     NULL, false},
    {AT_POST, "/v1/privacy/requests/{id}", AT_KEY_SECRET, BODY_JSON, 0, handle_request, NULL,
     "privacy_request_move", "Say that a request was answered, or is refused", "PrivacyMove",
     "PrivacyRequest", NULL, false},
    {AT_GET, "/v1/customers/by/{kind}/{value}", AT_KEY_SECRET, BODY_NONE, 0, handle_customer, "by",
     "customer_by", "The same by anonymous_id, user_id, email or phone", NULL, "Customer", NULL, false},
    {AT_GET, "/v1/customers/by/{kind}/{value}/timeline", AT_KEY_SECRET, BODY_NONE, 0, handle_timeline, "by",
     "timeline_by", "The same by an identifier", NULL, "Timeline", "limit,cursor", false},
    {AT_GET, "/v1/customers/by/{kind}/{value}/decisions", AT_KEY_SECRET, BODY_NONE, 0,
     handle_customer_decisions, "by", "customer_decisions_by", "The same by an identifier", NULL, "Decisions",
     "limit", false},

    {AT_GET, "/v1/customers/by/{kind}/{value}/identity", AT_KEY_SECRET, BODY_NONE, 0, handle_identity, "by",
     "identity_by", "The same by an identifier", NULL, "Evidence", NULL, false},
    {AT_POST, "/v1/customers/by/{kind}/{value}/unmerge", AT_KEY_SECRET, BODY_JSON, 0, handle_unmerge, "by",
     "unmerge_by", "The same by an identifier", "Unmerge", "Unmerged", NULL, false},
    {AT_POST, "/v1/customers/by/{kind}/{value}/consent", AT_KEY_SECRET, BODY_JSON, 0, handle_consent, "by",
     "consent_by", "The same by an identifier", "Consent", "ConsentResult", NULL, false},

    {AT_POST, "/v1/identity/rehearse", AT_KEY_SECRET, BODY_OPTIONAL_JSON, 0, handle_rehearse_identity, NULL,
     "rehearse_identity", "What the rules in shop.lua now would join and take apart", NULL,
     "IdentityRehearsal", NULL, false},

    {AT_GET, "/v1/segments", AT_KEY_SECRET, BODY_NONE, 0, handle_segments, NULL, "segments",
     "Who is grouped how, with counts", NULL, "Segments", NULL, false},
    {AT_GET, "/v1/segments/{name}", AT_KEY_SECRET, BODY_NONE, 0, handle_segment, NULL, "segment",
     "The members of one segment, who came last first", NULL, "SegmentMembers", "limit,cursor", false},
    {AT_GET, "/v1/audit", AT_KEY_SECRET, BODY_NONE, 0, handle_audit, NULL, "audit",
     "How clean the data is, and what to do next", NULL, "Audit", NULL, false},

    {AT_GET, "/v1/scripts", AT_KEY_SECRET, BODY_NONE, 0, handle_scripts, NULL, "scripts",
     "The scripts that serve", NULL, "Scripts", NULL, false},
    {AT_POST, "/v1/scripts", AT_KEY_SECRET, BODY_JSON, SCRIPTS_MAX, handle_publish, "publish",
     "publish_scripts", "Change scripts and publish them, all or nothing", "Publish", "Published", NULL,
     false},
    {AT_POST, "/v1/scripts/check", AT_KEY_SECRET, BODY_JSON, SCRIPTS_MAX, handle_publish, "check",
     "check_scripts", "The same, but only checked", "Publish", "Published", NULL, false},
    {AT_POST, "/v1/scripts/diff", AT_KEY_SECRET, BODY_JSON, SCRIPTS_MAX, handle_diff, NULL, "diff_scripts",
     "What a change touches, in words: files, the folder or a generation against what serves or another one",
     "Compare", "Comparison", NULL, false},
    {AT_PUT, "/v1/scripts/{path*}", AT_KEY_SECRET, BODY_RAW, SCRIPTS_MAX, handle_publish, "put", "put_script",
     "Write one script and publish", "text/plain", "Published", "message,expect", false},
    {AT_DELETE, "/v1/scripts/{path*}", AT_KEY_SECRET, BODY_NONE, 0, handle_publish, "delete", "delete_script",
     "Remove one script and publish", NULL, "Published", "message,expect", false},
    {AT_GET, "/v1/generations", AT_KEY_SECRET, BODY_NONE, 0, handle_generations, NULL, "generations",
     "What served and serves", NULL, "Generations", NULL, false},
    {AT_GET, "/v1/blame/{line}/{path*}", AT_KEY_SECRET, BODY_NONE, 0, handle_blame, NULL, "blame",
     "Which publish brought a line of a script", NULL, "Blame", NULL, false},
    {AT_POST, "/v1/generations/publish", AT_KEY_SECRET, BODY_OPTIONAL_JSON, 0, handle_unhold, NULL,
     "publish_folder", "Publish the folder: after a rollback, or with what a save must confirm",
     "PublishFolder", "Published", NULL, false},
    {AT_POST, "/v1/generations/{id}/activate", AT_KEY_SECRET, BODY_OPTIONAL_JSON, 0, handle_activate, NULL,
     "activate_generation", "Serve an earlier generation again", "Activate", "Published", NULL, false},

    {AT_POST, "/v1/backup", AT_KEY_SECRET, BODY_JSON, 0, handle_backup, NULL, "backup",
     "Copy all data into one file, while it serves; only from the machine itself, through the data folder's "
     "socket",
     "Backup", "BackupState", NULL, false},
    {AT_GET, "/v1/backup", AT_KEY_SECRET, BODY_NONE, 0, handle_backup_state, NULL, "backup_state",
     "How far the last backup is", NULL, "BackupState", NULL, false},
    {AT_POST, "/v1/sending/resume", AT_KEY_SECRET, BODY_OPTIONAL_JSON, 0, handle_resume, NULL,
     "resume_sending", "Let a restored shop send again", NULL, "Resumed", NULL, false},

    {AT_GET, "/health", AT_KEY_NONE, BODY_NONE, 0, handle_health, NULL, "health", "The process lives", NULL,
     "Health", NULL, false},
    {AT_GET, "/ready", AT_KEY_NONE, BODY_NONE, 0, handle_ready, NULL, "ready", "The shop serves", NULL,
     "Ready", NULL, false},
    {AT_GET, "/metrics", AT_KEY_SECRET, BODY_NONE, 0, handle_metrics, NULL, "metrics",
     "Figures as Prometheus reads them", NULL, "text/plain", NULL, false},
    {AT_GET, "/v1/live", AT_KEY_SECRET, BODY_NONE, 0, handle_live, NULL, "live",
     "What happens, as Server-Sent Events", NULL, "text/event-stream", NULL, false},
    {AT_GET, "/.well-known/gpc.json", AT_KEY_NONE, BODY_NONE, 0, handle_gpc, NULL, "gpc",
     "That Sec-GPC is honoured here", NULL, "Gpc", NULL, false},
    {AT_GET, "/openapi.json", AT_KEY_NONE, BODY_NONE, 0, handle_openapi, NULL, "openapi", "This document",
     NULL, "OpenApi", NULL, false},

    /* Found after all others, so that they hide nothing; names are shared: each is a label in the metrics. */
    LATER(AT_POST, "/v1/recommend", "recommend"),
    LATER(AT_POST, "/v1/search", "search"),
    LATER(AT_GET, "/v1/suggest", "suggest"),
    LATER(AT_POST, "/v1/creative", "creative"),
    LATER(AT_POST, "/v1/assist", "assist"),
    LATER(AT_POST, "/v1/scripts/rehearse", "rehearse"),
    LATER(AT_POST, "/v1/sources/{provider}", "sources"),
    LATER(AT_GET, "/v1/copy", "copy"),
    LATER(AT_POST, "/v1/copy/decide", "copy"),
    LATER(AT_PATCH, "/v1/copy/{id}", "copy"),
    LATER(AT_GET, "/v1/reports/{name}", "reports"),
    LATER(AT_GET, "/v1/experiments/{name}", "experiments"),
    LATER(AT_GET, "/v1/flows/{name}", "flows"),
    LATER(AT_GET, "/v1/customers/{id}/journeys", "journeys"),
    LATER(AT_GET, "/v1/customers/by/{kind}/{value}/journeys", "journeys"),
    LATER(AT_GET, "/u/{token}", "unsubscribe"),
    LATER(AT_POST, "/u/{token}", "unsubscribe"),
    LATER(AT_GET, "/attune.js", "page_script"),
    LATER(AT_GET, "/console/", "console"),
    LATER(AT_GET, "/console/{path*}", "console"),
    {0}};

/* One segment of the pattern against one of the path; "{path*}" takes all the rest. */
static bool matches(const char *pattern, struct at_text path, struct at_text raw[PARAMS_MAX], int *count) {
    const char *at = path.data, *end = path.data + path.length;
    *count = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (at == end || *at != *pattern) return false;
            at++;
            pattern++;
            continue;
        }
        const char *close = strchr(pattern, '}'), *stop = at;
        bool takes_rest = close[-1] == '*';
        while (stop < end && (takes_rest || *stop != '/')) stop++;
        if (stop == at) return false;
        raw[(*count)++] = (struct at_text){at, (size_t)(stop - at)};
        at = stop;
        pattern = close + 1;
    }
    return at == end;
}

const struct route *route_find(enum at_method method, struct at_text path, struct at_text params[PARAMS_MAX],
                               bool *other) {
    const struct route *later = NULL;
    if (method == AT_HEAD) method = AT_GET;
    *other = false;
    for (const struct route *route = routes; route->path; route++) {
        struct at_text raw[PARAMS_MAX] = {{NULL, 0}};
        int count;
        if (!matches(route->path, path, raw, &count)) continue;
        if (route->method == method) {
            memcpy(params, raw, sizeof raw);
            return route;
        }
        if (route_is_later(route))
            later = route;
        else
            *other = true;
    }
    return *other ? NULL : later;
}

bool route_is_later(const struct route *route) {
    return route->handle == handle_later;
}

enum at_status route_params(const struct route *route, struct at_arena *arena,
                            struct at_text params[PARAMS_MAX], struct at_error *err) {
    const char *name = strchr(route->path, '{');
    for (int i = 0; i < PARAMS_MAX && name; i++, name = strchr(name, '{')) {
        size_t bad;
        char field[32];
        name++;
        snprintf(field, sizeof field, "%.*s", (int)strcspn(name, "*}"), name);
        if (!params[i].data) continue; /* found by a later version's path */
        enum at_status status = at_percent_decode(arena, params[i], false, &params[i]);
        if (status == AT_NOMEM) return at_fail(err, status, NULL, "out of memory");
        if (status != AT_OK || !at_utf8_valid(params[i].data, params[i].length, &bad))
            return at_fail_field(err, AT_INVALID, "bad_path", field,
                                 "the address is wrong: write %s in UTF-8, its bytes escaped as %%20", field);
    }
    return AT_OK;
}

void route_allow(struct at_text path, char *out, size_t size) {
    static const struct {
        enum at_method method;
        const char *words;
    } all[] = {{AT_GET, "GET, HEAD, "},
               {AT_POST, "POST, "},
               {AT_PUT, "PUT, "},
               {AT_PATCH, "PATCH, "},
               {AT_DELETE, "DELETE, "}};
    size_t length = 0;
    out[0] = 0;
    for (size_t i = 0; i < AT_LENGTH(all); i++) {
        struct at_text params[PARAMS_MAX];
        bool other;
        const struct route *route = route_find(all[i].method, path, params, &other);
        if (route && !route_is_later(route) && length < size)
            length += (size_t)snprintf(out + length, size - length, "%s", all[i].words);
    }
    if (length < size) snprintf(out + length, size - length, "OPTIONS");
}

bool route_takes_write_key(struct at_text path) {
    struct at_text raw[PARAMS_MAX];
    int count;
    for (const struct route *route = routes; route->path; route++)
        if (matches(route->path, path, raw, &count) &&
            (route->key == AT_KEY_WRITE || strcmp(route->name, "sdk_settings") == 0))
            return true;
    return false;
}
