/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP/1.1 server of one worker: listener with SO_REUSEPORT, connections, llhttp in strict mode,
 * keep-alive, pipelining (answers in order, the next request of a connection is handled after the one before
 * is answered), gzip bodies, limits. Owned by its loop's thread.
 */
#ifndef AT_NET_SERVER_H
#define AT_NET_SERVER_H

#include "base/memory.h"
#include "loop/loop.h"
#include "net/message.h"

struct at_server;

struct at_server_limits {
    uint32_t connections_max;    /* default 4096; over it: accept, answer 503 with Retry-After, close */
    uint32_t header_bytes_max;   /* 16 KiB: 431 */
    uint32_t body_bytes_max;     /* on the wire: 1 MiB unless the handler's on_head allows more: 413 */
    uint32_t inflated_bytes_max; /* gzip: 500 KiB, and at most 20 × the compressed size: 413 */
    uint32_t output_bytes_max;   /* unread answers of one connection: 64 MiB, then the connection is closed */
    uint32_t header_timeout_ms;  /* 10,000 */
    uint32_t body_timeout_ms;    /* 30,000 without a byte */
    uint32_t idle_timeout_ms;    /* 75,000 */
};
extern const struct at_server_limits at_server_limits_default;

struct at_server_handler {
    void *arg;
    /* The whole request is there: answer now or later. */
    void (*on_request)(void *arg, struct at_exchange *exchange);
    /* Head is there: may raise the body limit for this route (returns bytes_max; 0: the default). May be
     * NULL. */
    uint32_t (*body_limit)(void *arg, const struct at_request *head);
    /* An error the server answers itself (400, 408, 413, 415, 431, 501 …) as a JSON error body. code:
     * "bad_request". */
    void (*on_refusal)(void *arg, int status, const char *code); /* counted by the caller; may be NULL */
};

struct at_server_counts { /* since start; read on the loop's thread */
    uint64_t connections_total, requests_total, refusals_total;
    uint32_t connections_now;
};

/* host "127.0.0.1", "::1", "0.0.0.0"; port 0 picks one. Several servers may listen on one port
 * (SO_REUSEPORT). */
enum at_status at_server_open(struct at_server **out, struct at_loop *loop, const char *host, int port,
                              const struct at_server_limits *limits, const struct at_server_handler *handler,
                              struct at_account *account, struct at_error *err) AT_MUST_CHECK;
int at_server_port(const struct at_server *server);
struct at_server_counts at_server_counts(const struct at_server *server);
/* Stop accepting; open connections finish the request in flight (Connection: close), idle ones close;
 * on_drained when none is left. */
void at_server_drain(struct at_server *server, void (*on_drained)(void *arg), void *arg);
/* Close everything now; freed when its handles are closed. */
void at_server_close(struct at_server *server, void (*on_closed)(void *arg), void *arg);

#endif
