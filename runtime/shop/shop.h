/* SPDX-License-Identifier: Apache-2.0
 *
 * struct at_shop: one shop on one data folder, and its operations. The faces (api/, cli/, attune.c) parse
 * what they are asked, call one operation and pass its answer on; everything that happens, happens below this
 * header.
 *
 * Every operation takes a job: it belongs to a front worker's thread, fills job->out with the answer's JSON
 * (without a newline) or job->err, and calls job->done exactly once on that thread, possibly before the call
 * returns. Texts and JSON handed in must live until done. Nothing here blocks the worker: disk reads and slow
 * work happen on other threads.
 */
#ifndef AT_SHOP_SHOP_H
#define AT_SHOP_SHOP_H

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/time.h"
#include "loop/loop.h"

struct at_shop;
struct at_worker;

struct at_shop_options {
    const char *folder;    /* the shop's folder: shop.lua, scripts/ … */
    const char *data;      /* the data folder */
    uint32_t worker_count; /* front workers with threads of their own; 0 with host_loop: the host's loop is
                              the only one */
    struct uv_loop_s *host_loop; /* embedding: NULL otherwise */
    size_t memory_bytes;         /* --memory; 0: the default */
    int64_t now_ms;              /* serve --now: the clock starts here and runs on; 0: the system's */
    int watchdog_signal;         /* 0: none (count hook); -1: the default, SIGRTMIN + 4 */
    const struct at_log *log;
    const char *(*env)(void *arg, const char *name); /* looks up env "NAME" of shop.lua; NULL: getenv */
    void *env_arg;
    bool skips_watching;      /* do not watch the folder (tests, embedding on demand) */
    uint32_t stale_per_mille; /* tests: see store.h */
    const char *vfs;          /* tests: see store.h */
    /* Called on each front worker's own thread when it is up, and when it must let go (close listeners): api/
     * hangs its server here. start may fail: the shop then does not open. stop calls stopped(worker) when it
     * has let go. */
    enum at_status (*on_worker_start)(void *arg, struct at_worker *worker, struct at_error *err);
    void (*on_worker_stop)(void *arg, struct at_worker *worker);
    void *worker_arg;
};

/* Opens the data folder, replays the tail of the log, reads shop.lua (an unset env is an error that names
 * it), loads the scripts (invalid ones: the last good generation serves and the log says so), starts the
 * workers. With own workers it returns when all are up. */
enum at_status at_shop_open(struct at_shop **out, const struct at_shop_options *options,
                            struct at_error *err) AT_MUST_CHECK;
/* Graceful: workers let go, queues are committed, derived state flushed. Own workers: returns when all is
 * down. Host loop: on_closed(arg) is called on the host's loop. */
void at_shop_close(struct at_shop *shop, void (*on_closed)(void *arg), void *arg);

struct at_loop *at_worker_loop(struct at_worker *worker);
struct at_shop *at_worker_shop(struct at_worker *worker);
uint32_t at_worker_index(const struct at_worker *worker);
uint32_t at_shop_worker_count(const struct at_shop *shop);
struct at_worker *at_shop_worker(struct at_shop *shop, uint32_t index);
void at_worker_stopped(struct at_worker *worker); /* the answer to on_worker_stop */
void *at_worker_face(struct at_worker *worker);   /* one pointer for api/ */
void at_worker_set_face(struct at_worker *worker, void *face);
struct at_ledger *at_shop_ledger(struct at_shop *shop);
const struct at_log *at_shop_log(const struct at_shop *shop);
int64_t at_shop_now(const struct at_shop *shop);
/* Parsers of requests that may outlive one callback; given back when the answer is out. NULL: out of memory.
 */
struct at_json_parser *at_worker_take_parser(struct at_worker *worker);
void at_worker_give_parser(struct at_worker *worker, struct at_json_parser *parser);

/* ---- keys (shop.lua: keys { write = …, secret = …, origins = {…} }; several of each as a list, or named:
 * write = { web = env "A" }) */
enum at_key_class { AT_KEY_NONE, AT_KEY_WRITE, AT_KEY_SECRET };
struct at_key_match {
    enum at_key_class class;
    const char *source; /* the key's name: "default", "web"; lives as long as the shop */
};
/* Constant time over all keys. Without configured keys everything from loopback is SECRET (source "default").
 */
struct at_key_match at_shop_key(struct at_shop *shop, const char *key, size_t length, bool is_loopback);
bool at_shop_has_keys(const struct at_shop *shop);
bool at_shop_allows_origin(const struct at_shop *shop,
                           struct at_text origin); /* origins of shop.lua; none configured: none */

struct at_job {
    struct at_worker *worker;
    struct at_arena *arena; /* of the request */
    struct at_bytes out;    /* the caller inits and clears it */
    enum at_status status;
    struct at_error err;
    bool is_secret;
    bool has_gpc;        /* the request came with Sec-GPC: 1 */
    const char *source;  /* of the key */
    struct at_text text; /* the request's JSON as it came, if there is one: kept with a decision */
    void (*done)(struct at_job *job);
    void *arg;
};

/* ---- events in ---- */
/* type: the route's ("track") or NULL for a batch; body: the object as sent (a batch holds "batch", and
 * "context", "sentAt"). out: {"success":true} and for a batch "results":[{"status","message"?}…]; a single
 * invalid event is AT_INVALID, a conflict AT_CONFLICT. An event that consent withholds is "withheld", with a
 * message; of a single event "status" and "message" stand beside "success" then. Durable before done.
 * AT_BUSY: nothing of the request was taken. */
void at_shop_track(struct at_job *job, const char *type, struct at_json body, bool is_import);
/* An import's body may hold (with the secret key) "source", the name the events are deduplicated under
 * instead of the key's, and "mark": {"name","state"}: how far the import is, of up to 4 KiB, durable in the
 * same commit as the last of these events; it never says more than is there. Such a mark:
 * {"name","state","results":
 * {"accepted","duplicate","conflict","withheld","invalid"}}: what became of that request's events.
 * AT_NOTFOUND. */
void at_shop_import(struct at_job *job, struct at_text name);

/* ---- signed sources ---- */
struct at_webhook { /* one delivery as it came; texts are lent until done, "" where a header is absent */
    struct at_text signature; /* X-Shopify-Hmac-Sha256 */
    struct at_text topic;     /* X-Shopify-Topic */
    struct at_text id;        /* X-Shopify-Webhook-Id: of the delivery */
    struct at_text event_id;  /* X-Shopify-Event-Id: of what happened */
    struct at_text domain;    /* X-Shopify-Shop-Domain */
    struct at_text triggered_at;
    struct at_text body; /* raw: it is what was signed */
};
/* AT_NOTFOUND: Shopify is no source of shop.lua; AT_UNAUTHORIZED: no secret of it signed this; AT_FORBIDDEN:
 * of another shop; AT_INVALID: it is not what its topic says. out: {"success":true} with "ignored" (why
 * nothing follows), "duplicate" (it was there before), "waiting" (for what it is about), "recorded", or the
 * events' "results". Durable before done. */
void at_shop_shopify(struct at_job *job, const struct at_webhook *sent);

/* ---- decisions out ---- */
/* body as in design/http-api.md. one: "rank": answers {"decision","generation","items","total",…}; NULL:
 * /v1/decide with "ask". */
void at_shop_decide(struct at_job *job, const char *one, struct at_json body);
/* GET /v1/decisions/{id}?why_not= : the explanation. */
void at_shop_decision(struct at_job *job, struct at_text id, struct at_text why_not);

/* ---- catalog ---- */
enum at_items_kind { AT_ITEMS_PUT, AT_ITEMS_PATCH };
/* text: a JSON array, or JSON lines. out:
 * {"accepted":n,"unchanged":n,"invalid":n,"retired":n,"results":[{"id","status","line","message"?}…]}
 * (results of PUT: only those not accepted; of PATCH: all). is_complete: what is not in it is retired,
 * refused (422 too_many_retired) if that is more than a tenth, unless is_sure. Durable and visible before
 * done. */
void at_shop_items(struct at_job *job, enum at_items_kind kind, struct at_text text, bool is_complete,
                   bool is_sure);
void at_shop_item_get(struct at_job *job, struct at_text id);
void at_shop_attributes(struct at_job *job); /* of products: {"items":n,"attributes":[{"name","kind"}]} */
void at_shop_item_patch(struct at_job *job, struct at_text id, struct at_json change);
void at_shop_item_delete(struct at_job *job, struct at_text id);

/* ---- people ---- */
bool at_shop_has_kind(const struct at_shop *shop, struct at_text kind); /* of identifiers */
/* kind NULL: value is the customer's id. AT_NOTFOUND. */
void at_shop_customer(struct at_job *job, struct at_text kind, struct at_text value);
void at_shop_timeline(struct at_job *job, struct at_text kind, struct at_text value, uint32_t limit,
                      struct at_text cursor);
void at_shop_customer_decisions(struct at_job *job, struct at_text kind, struct at_text value,
                                uint32_t limit);

/* One statement of consent, for the whole person: body {"purpose","status":"granted"|"denied","channel"?,
 * "source"?,"at"?,"expires_at"?,"wording"?,"proof"?}. out: {"success":true,"purpose","state","allowed"}: what
 * it came to. AT_NOTFOUND, AT_UNPROCESSABLE. Durable before done. */
void at_shop_consent(struct at_job *job, struct at_text kind, struct at_text value, struct at_json body);

/* {"person","identifiers":[{"kind","value","since"}],"links":[{"a":{"kind","value"},"b":{…},"at","source",
 * "message_id","event","revoked":{"at","by"} if it was}],"merges":[{"gone","at"}]}: why these identifiers are
 * one person, and what was taken apart. */
void at_shop_identity(struct at_job *job, struct at_text kind, struct at_text value);
/* What the rules of shop.lua as it is in the folder now would make of all events: people joined and taken
 * apart; nothing is changed. {"events","people":{"now","then"},"joined":{"count","examples":[["p…","p…"]]},
 * "split":{"count","examples":[{"person","into"}]},"identifiers":{"gone","new"}}. AT_UNPROCESSABLE: shop.lua
 * cannot be read; AT_CONFLICT: another is going on. */
void at_shop_rehearse_identity(struct at_job *job);
/* How clean the data is: the audit of everything there is (measure/audit.h), as audit_show.h writes it.
 * AT_CONFLICT: another, or a rehearsal, is going on. */
void at_shop_audit(struct at_job *job);
/* body {"identifier":{"kind","value"}}: it becomes a person of its own, with what only it is linked to, and
 * is never joined with the others by an event again. {"kept":"…","split":"…"}. AT_NOTFOUND, AT_UNPROCESSABLE:
 * it is the only one. */
void at_shop_unmerge(struct at_job *job, struct at_text kind, struct at_text value, struct at_json body);

/* ---- what a person may ask for ---- */
/* Everything about the person in one document: {"person","exported_at","customer":{as at_shop_customer},
 * "records":{"identifier":[…],"link":[…],"event":[…],"decision":[…],"access":[…] …}}: each table that holds
 * something of people, row by row. AT_TOOBIG. */
void at_shop_export(struct at_job *job, struct at_text kind, struct at_text value);
/* The person is forgotten, irrevocably: durable and unreachable before done, out of the files within minutes.
 * out: the request (below) with the signed receipt. AT_NOTFOUND. */
void at_shop_erase(struct at_job *job, struct at_text kind, struct at_text value);
/* A request: {"id","kind":"erase"|"export"|"redact","state","person":"p…" or null,"asked_at","due_at",
 * "changed_at","source","reference"?,"receipt"?:{"erasure","shop","person","unreachable_at","scrubbed_at",
 * "events","by","key","signature"}}; states: requests.c. */
void at_shop_requests(struct at_job *job, struct at_text state,
                      uint32_t limit); /* {"requests":[newest first]} */
void at_shop_request(struct at_job *job, struct at_text id);
/* body {"kind":"erase"|"export","identifier":{"kind","value"},"reference"?}. Nobody known: state "nothing".
 */
void at_shop_request_add(struct at_job *job, struct at_json body);
/* body {"state":"done"|"refused"} of one that is ready or waiting; else AT_CONFLICT. */
void at_shop_request_move(struct at_job *job, struct at_text id, struct at_json body);

/* ---- segments ---- */
/* {"segments":[{"name","count","entered_24h","script","checked_at","recheck_ms","failures","error"?,"set_aside"}],
 * "due","waiting","left"}: recheck_ms 0: time alone is seen coming; script null: it is declared no longer,
 * its members are leaving; due: when time alone may change somebody's next; waiting: people of events not
 * looked at yet; left: of everybody, while the segments changed. */
void at_shop_segments(struct at_job *job);
/* {"segment","count","members":[{"id","since"}],"next"}: who came last first. AT_NOTFOUND. */
void at_shop_segment(struct at_job *job, struct at_text name, uint32_t limit, struct at_text cursor);

/* ---- scripts ---- */
void at_shop_scripts(
    struct at_job *job); /* {"generation":17,"held":false,"files":[{"path","size","text"}]} */
/* files: {"path":"text" or null, …}; expect 0: none. Publishes, all or nothing:
 * {"generation":18,"warnings":[…]} or AT_UNPROCESSABLE with out =
 * {"error":{…,"findings":[as at_finding_write]}}; AT_CONFLICT if expect no longer
 * serves. is_check: only checks. confirm: names of rails that may withhold more than a fifth of what was
 * shown until now, or fail; no list: none. */
void at_shop_publish(struct at_job *job, struct at_json files, struct at_json confirm, struct at_text message,
                     uint64_t expect, bool is_check);
/* What a change touches, in words: {"from":17,"to":null,"changes":[as at_diff_write]}. */
struct at_comparison {
    uint64_t from;           /* a generation; 0: the one that serves */
    uint64_t to;             /* a generation; 0: the folder, with */
    struct at_json files;    /* these changes of it, as of at_shop_publish, if it is an object */
    bool is_complete;        /* they are all there is: the folder is not looked at */
    struct at_text settings; /* with files: the text of shop.lua; data NULL: it is not compared */
};
void at_shop_diff(struct at_job *job, const struct at_comparison *asked);
void at_shop_generations(
    struct at_job *
        job); /* {"active":17,"held":false,"generations":[{"id","at","author","source","message","files","changes"}]}
               */
/* Which generation brought that line (from 1) of that script as it serves:
 * {"path","line","text","generation","at", "author","source","message","or_before"}; or_before: further back
 * is not looked. AT_NOTFOUND. */
void at_shop_blame(struct at_job *job, struct at_text path, uint32_t line);
void at_shop_activate(struct at_job *job, uint64_t id, bool restores); /* rollback; the folder is held */
/* POST /v1/generations/publish: the folder publishes again, or what of it was refused for want of confirm. */
void at_shop_unhold(struct at_job *job, struct at_json confirm);

/* ---- backup ---- */
/* A copy of all data in one file, while the shop serves; the caller is the one that the data folder belongs
 * to, for the file is written as this process. path: absolute; "replaces" a file that is there. done when it
 * is whole, which may take minutes: out as of at_shop_backup_state. AT_CONFLICT: there is such a file, or
 * another backup is under way; else as at_store_backup. */
void at_shop_backup(struct at_job *job, struct at_text path, bool replaces);
/* {"state":"none"|"copying"|"checking"|"done"|"failed","file","at","done_bytes","total_bytes","seconds"} of
 * the last since start; done: "bytes","events"; failed: "error":{"code","message"}. */
void at_shop_backup_state(struct at_job *job);
/* Let one that is under way, and any later one, end with AT_STOPPED: before what waits for its answer is
 * waited for. Any thread; at_shop_close does it, too. */
void at_shop_backup_stop(struct at_shop *shop);

/* ---- a restored shop is silent until this: {"sending":"ok","was_held":true}. Durable before done. ---- */
void at_shop_resume_sending(struct at_job *job);

/* ---- watching ---- */
/* AT_OK or AT_BUSY; out: {"ready":true,"generation":17,"held":false,"scripts":"ok"|"stale",
 * "sending":"ok"|"held","products":n} */
void at_shop_ready(struct at_job *job);
void at_shop_metrics(struct at_job *job); /* out: Prometheus text */
/* Live stream: fn(arg, event name, json) on this worker's thread until unsubscribed; it does not unsubscribe.
 * false: the reader has no room, the message is lost and counted; later the event "dropped" says how many
 * were. NULL: out of memory. */
struct at_subscription;
typedef bool at_live_fn(void *arg, const char *event, struct at_text json);
struct at_subscription *at_shop_subscribe(struct at_worker *worker, at_live_fn *fn, void *arg);
void at_subscription_free(struct at_subscription *subscription);
/* Faces count what they refuse: adds to a fixed set of counters (docs/operate.md). */
void at_shop_count_answer(struct at_worker *worker, const char *route, int status, uint64_t took_us);

#endif
