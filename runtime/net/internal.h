/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to net/: a server, its connections. One loop, one thread.
 *
 * A connection reads into one buffer and keeps offsets into it until a request is whole; then the request's
 * texts are made, the handler is called, and only when it has answered does the next request of the
 * connection go on. While the handler has the request the buffer does not move: the texts point into it. What
 * was answered in one turn of the loop is written together, for all connections, a few at a time. Nothing is
 * read while an answer waits for a slow reader.
 *
 * A connection at rest holds no memory but its own struct: the buffer and the arena of a request are a kit,
 * taken when bytes come and given back when it is answered, the answer's buffer when it is written; the last
 * one given is the first one taken, so that however many connections there are, requests work in memory that
 * is in the processor's cache.
 */
#ifndef AT_NET_INTERNAL_H
#define AT_NET_INTERNAL_H

#include <llhttp.h>
#include <uv.h>
#include <zlib.h>
#include "net/server.h"

#define AT_BODY_PADDING 64 /* AT_JSON_PADDING: readable bytes behind a body */

enum conn_state {
    CONN_IDLE,   /* between requests */
    CONN_HEAD,   /* a head has begun */
    CONN_BODY,   /* its body comes */
    CONN_ASKED,  /* the handler has the request */
    CONN_STREAM, /* an endless answer */
    CONN_ENDING, /* closes when what is to be written is written */
    CONN_LINGER, /* was refused while it sent: the rest is read and thrown away for a second, so that the
                    answer arrives */
    CONN_CLOSING
};
struct span {
    uint32_t from, length;
};
#define KITS_MAX 64
struct kit { /* what a request is read into */
    char *in;
    uint32_t in_capacity;
    struct at_arena arena;
};
struct at_stream {
    struct conn *conn;
    void (*on_close)(void *arg);
    void *arg;
};
struct conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct at_server *server;
    struct conn *previous, *next; /* of the server */
    struct conn *next_ready;      /* answered from elsewhere, to go on */
    enum conn_state state;
    bool has_kit, is_in_process, is_answered, is_ready, lingers, is_asked /* the handler owes an answer */,
        is_gone /* closed meanwhile */, is_reading, is_writing, wants_close, is_http_1_0, is_loopback,
        must_drop, has_ended /* the peer says no more */, is_over /* a stream, to be closed next turn */;
    uint64_t since_ms; /* of the state, or of the last byte */
    /* input */
    char *in;
    uint32_t in_length, in_capacity, parsed; /* parsed: bytes llhttp has seen */
    uint32_t begin;                          /* of this request; what is before it is over */
    uint32_t head_end;                       /* 0: the body has not begun; else at or behind its end */
    uint64_t framing_bytes;                  /* of a chunked body: sizes, extensions, trailers */
    llhttp_t parser;
    struct span url, names[AT_HEADERS_MAX], values[AT_HEADERS_MAX], body;
    uint32_t header_count, body_max;
    bool in_value, has_too_many;
    int refusal; /* a status found by a callback */
    const char *refusal_code, *refusal_message;
    /* the request */
    struct at_request request;
    struct at_arena arena;
    struct at_exchange exchange;
    struct at_stream sse;
    /* output */
    struct at_bytes out;     /* being filled */
    struct at_bytes writing; /* with libuv */
    size_t unwritten;        /* of it, when it last moved */
    size_t counted_bytes;    /* of both, in the account */
    uv_write_t write;
    uv_shutdown_t shutdown;
};
struct at_server {
    struct at_loop *loop;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } listener;
    uv_check_t check;     /* both turns of the loop: what was answered by a poll's callback, */
    uv_prepare_t prepare; /* and by a timer's, goes on before the loop sleeps */
    uv_timer_t timer;
    z_stream zip; /* kept over requests: it is 40 KB of malloc */
    bool has_zip;
    struct at_server_limits limits;
    struct at_server_handler handler;
    struct at_account *account;
    llhttp_settings_t settings;
    struct conn *conns, *ready, **ready_end, *spare; /* ready: in the order in which they were answered */
    uint32_t spare_count;
    struct kit kits[KITS_MAX];
    struct at_bytes outs[KITS_MAX]; /* what answers are written into */
    uint32_t kit_count, out_count;
    uint32_t held_count; /* of ready: answers that wait to be written together, */
    uint64_t held_ns;    /* the first of them since then */
    struct at_server_counts counts;
    int port, open_handles;
    bool is_pipe, is_draining, is_closing, is_listening, has_turns,
        has_waiting /* a connection no memory was there for */;
    void (*on_drained)(void *arg);
    void *on_drained_arg;
    void (*on_closed)(void *arg);
    void *on_closed_arg;
};

/* connection.c */
struct conn *conn_new(struct at_server *server); /* NULL: out of memory */
void conn_begin(struct conn *conn);              /* accepted */
void conn_close(struct conn *conn);
void conn_process(struct conn *conn); /* go on with what was read */
void conn_tick(struct conn *conn, uint64_t now_ms);
void conn_rest(struct conn *conn); /* gives back what it holds: nothing of it is in use */
void kits_free(struct at_server *server);
void conn_free(struct conn *conn);
/* request.c: llhttp's callbacks, and the request from offsets. */
void request_settings(llhttp_settings_t *settings);
void request_reset(struct conn *conn);
void request_texts(struct conn *conn); /* offsets → request */
/* Inflate if it says gzip. False: conn->refusal says why. */
bool request_inflate(struct conn *conn);
void request_zip_free(struct at_server *server);
/* answer.c */
void answer_write(struct conn *conn, const struct at_answer *answer);
void answer_refuse(struct conn *conn, int status, const char *code, const char *message);
void answer_flush(struct conn *conn);
void answer_count(struct conn *conn); /* the account learns what the output buffers hold */
void conn_later(struct conn *conn);   /* conn_process in the next turn of the loop */
extern void (*const answer_fn)(struct at_exchange *exchange, const struct at_answer *answer);
struct at_stream *answer_stream(struct at_exchange *exchange, void (*on_close)(void *arg), void *arg);
/* server.c */
void server_conn_gone(struct conn *conn);
void server_go_on(struct at_server *server); /* with all that are ready */

#endif
