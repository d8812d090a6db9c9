/* SPDX-License-Identifier: Apache-2.0
 *
 * attune: personalization for an online shop, inside your own process, on your own libuv loop.
 *
 *     struct attune *shop;
 *     struct attune_error err;
 *     struct attune_options options = {.shop = "my-shop", .data = "data", .loop = uv_default_loop()};
 *     if (attune_open(&shop, &options, &err)) …  err.message says what, where, what to do
 *     attune_decide(shop, json, length, on_answer, arg, &err);
 *     attune_close(shop, on_closed, arg);
 *
 * One thread: every call is made on the loop's thread, every callback comes there. Slow work happens on
 * threads of attune's own. Nothing here exits, aborts, writes to standard output or installs a signal
 * handler, but the watchdog's. Several shops may be open in one process, each with a data folder of its own.
 */
#ifndef ATTUNE_H
#define ATTUNE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ATTUNE_API __attribute__((visibility("default")))

struct attune;
struct uv_loop_s;

struct attune_error {
    char code[40];     /* for programs: "unknown_ranking" */
    char field[80];    /* what it is about, or "" */
    char message[512]; /* for people */
};

struct attune_options {
    const char *shop;       /* the shop's folder */
    const char *data;       /* the data folder; NULL: "data" below the shop's */
    struct uv_loop_s *loop; /* the host's */
    size_t memory;          /* bytes of caches and queues; 0: 1 GiB */
    int64_t now_ms;         /* begin at this moment (ms since 1970); 0: the system's time */
    int watchdog_signal; /* stops scripts over their budget; 0: none, a count hook does it; -1: SIGRTMIN + 4
                          */
    int log_fd;          /* where log lines go; 0: nowhere */
    void (*log)(void *arg, const char *line); /* or a function; any thread; may be NULL */
    void *log_arg;
};

/* Opens the shop: 0, or -1 and err. The folder must be this process's alone. */
ATTUNE_API int attune_open(struct attune **out, const struct attune_options *options,
                           struct attune_error *err);
/* Answers what is in flight, writes what is queued; on_closed comes on the loop when all of it is gone. */
ATTUNE_API void attune_close(struct attune *shop, void (*on_closed)(void *arg), void *arg);

struct attune_request {
    const char *method; /* "POST" */
    const char *path;   /* "/v1/decide", with a query if there is one */
    const char *body;   /* copied before the call returns; may be NULL */
    size_t length;
};
struct attune_answer {
    int status;       /* as over HTTP */
    const char *body; /* lent until the callback returns; NUL-terminated */
    size_t length;
};
typedef void (*attune_on_answer)(void *arg, const struct attune_answer *answer);

/* Every path of the HTTP interface, as the holder of the secret key. 0: on_answer comes exactly once, on the
 * loop, perhaps before this returns. -1: it does not come, err says why. */
ATTUNE_API int attune_call(struct attune *shop, const struct attune_request *request,
                           attune_on_answer on_answer, void *arg, struct attune_error *err);
/* The same without routing: one event ("track" …) or a batch (type NULL); one decision (the body of
 * /v1/decide). */
ATTUNE_API int attune_track(struct attune *shop, const char *type, const char *json, size_t length,
                            attune_on_answer on_answer, void *arg, struct attune_error *err);
ATTUNE_API int attune_decide(struct attune *shop, const char *json, size_t length, attune_on_answer on_answer,
                             void *arg, struct attune_error *err);
ATTUNE_API const char *attune_version(void);

#ifdef __cplusplus
}
#endif
#endif
