/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection's life: read, parse, ask, go on. One request at a time; what is pipelined waits in the buffer.
 */
#include <stdlib.h>
#include <string.h>
#include "net/internal.h"

#define FIRST_BYTES (16u * 1024)
#define KEPT_BYTES  (128u * 1024) /* a buffer larger than this is given back between requests */
#define LINGER_MS   1000
#define ARENA_MAX   (1u << 30)

struct conn *conn_new(struct at_server *server) {
    struct conn *conn = server->spare;
    if (conn) {
        server->spare = conn->next;
        server->spare_count--;
    } else {
        conn = calloc(1, sizeof *conn);
        if (!conn) return NULL;
        conn->server = server;
        at_arena_init(&conn->arena, ARENA_MAX);
        at_bytes_init(&conn->out, server->limits.output_bytes_max);
        at_bytes_init(&conn->writing, server->limits.output_bytes_max);
        conn->exchange = (struct at_exchange){&conn->request, answer_fn, answer_stream};
        if (server->account) at_account_force(server->account, sizeof *conn);
    }
    conn->state = CONN_IDLE;
    conn->is_in_process = conn->is_answered = conn->is_ready = conn->is_reading = conn->is_writing =
        conn->is_asked = conn->is_gone = false;
    conn->wants_close = conn->is_http_1_0 = conn->must_drop = conn->lingers = false;
    conn->in_length = conn->parsed = 0;
    llhttp_init(&conn->parser, HTTP_REQUEST, &server->settings);
    conn->parser.data = conn;
    request_reset(conn);
    return conn;
}

void conn_free(struct conn *conn) {
    if (conn->server->account) at_account_give(conn->server->account, sizeof *conn + conn->in_capacity);
    free(conn->in);
    at_arena_clear(&conn->arena);
    at_bytes_clear(&conn->out);
    at_bytes_clear(&conn->writing);
    free(conn);
}

static void on_conn_closed(uv_handle_t *handle) {
    server_conn_gone((struct conn *)handle->data);
}

void conn_close(struct conn *conn) {
    if (conn->state == CONN_CLOSING) return;
    bool was_stream = conn->state == CONN_STREAM;
    conn->state = CONN_CLOSING;
    if (was_stream && conn->sse.on_close) conn->sse.on_close(conn->sse.arg);
    uv_close(&conn->uv.handle, on_conn_closed);
}

/* ---- reading ---- */

static bool make_room(struct conn *conn, uint32_t more) {
    uint64_t wanted = (uint64_t)conn->in_length + more + AT_BODY_PADDING;
    if (wanted <= conn->in_capacity) return true;
    uint64_t capacity = conn->in_capacity ? conn->in_capacity : FIRST_BYTES;
    while (capacity < wanted) capacity *= 2;
    if (capacity > UINT32_MAX) return false;
    char *in = realloc(conn->in, capacity);
    if (!in) return false;
    if (conn->server->account) at_account_force(conn->server->account, capacity - conn->in_capacity);
    conn->in = in;
    conn->in_capacity = (uint32_t)capacity;
    return true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    struct conn *conn = handle->data;
    (void)suggested;
    uint32_t more =
        conn->state == CONN_BODY && (conn->parser.flags & F_CONTENT_LENGTH) &&
                conn->parser.content_length > 8192
            ? (uint32_t)(conn->parser.content_length < (1u << 20) ? conn->parser.content_length : (1u << 20))
            : 8192;
    if (!make_room(conn, more)) {
        *buffer = uv_buf_init(NULL, 0);
        return;
    }
    *buffer = uv_buf_init(conn->in + conn->in_length, conn->in_capacity - conn->in_length - AT_BODY_PADDING);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer) {
    struct conn *conn = stream->data;
    (void)buffer;
    if (n == 0) return;
    if (n < 0) {
        /* The peer has ended: what it asked is still answered, unless nothing was asked. */
        if (conn->state == CONN_ASKED && n == UV_EOF) {
            uv_read_stop(stream);
            conn->is_reading = false;
            conn->must_drop = true;
            return;
        }
        if (conn->is_writing && n == UV_EOF && conn->state == CONN_ENDING) return;
        conn_close(conn);
        return;
    }
    if (conn->state == CONN_STREAM || conn->state == CONN_ENDING || conn->state == CONN_LINGER)
        return; /* nothing more is listened to */
    conn->in_length += (uint32_t)n;
    if (conn->state == CONN_BODY) conn->since_ms = uv_now(stream->loop);
    if (conn->state == CONN_IDLE) conn->since_ms = uv_now(stream->loop);
    conn_process(conn);
}

static void want_reading(struct conn *conn, bool wants) {
    if (wants == conn->is_reading || conn->state == CONN_CLOSING) return;
    conn->is_reading = wants;
    if (!wants)
        uv_read_stop(&conn->uv.stream);
    else if (uv_read_start(&conn->uv.stream, on_alloc, on_read))
        conn_close(conn);
}

void conn_begin(struct conn *conn) {
    conn->since_ms = uv_now(conn->server->check.loop);
    want_reading(conn, true);
}

/* ---- going on ---- */

/* The request is over: its memory, and its bytes out of the buffer. */
static void finish_request(struct conn *conn) {
    conn->is_answered = false;
    at_arena_reset(&conn->arena);
    uint32_t rest = conn->in_length - conn->parsed;
    if (rest) memmove(conn->in, conn->in + conn->parsed, rest);
    conn->in_length = rest;
    conn->parsed = 0;
    if (!rest && conn->in_capacity > KEPT_BYTES) {
        if (conn->server->account) at_account_give(conn->server->account, conn->in_capacity);
        free(conn->in);
        conn->in = NULL;
        conn->in_capacity = 0;
    }
    conn->state = conn->wants_close ? CONN_ENDING : CONN_IDLE;
    conn->since_ms = uv_now(conn->server->check.loop);
}

static void refuse_and_end(struct conn *conn, int status, const char *code, const char *message) {
    answer_refuse(conn, status, code, message);
    if (conn->state == CONN_CLOSING) return;
    conn->state = CONN_ENDING;
    conn->lingers = true;
}

static void on_shut_down(uv_shutdown_t *shutdown, int status) {
    (void)shutdown;
    (void)status;
}

/* A close with unread bytes resets the connection, and the peer may lose the answer. */
static void linger(struct conn *conn) {
    conn->state = CONN_LINGER;
    conn->since_ms = uv_now(conn->server->check.loop);
    conn->in_length = conn->parsed = 0;
    if (uv_shutdown(&conn->shutdown, &conn->uv.stream, on_shut_down))
        conn_close(conn);
    else
        want_reading(conn, true);
}

static void ask(struct conn *conn) {
    struct at_server *server = conn->server;
    struct timespec now;
    conn->is_http_1_0 = conn->parser.http_major == 1 && conn->parser.http_minor == 0;
    request_texts(conn);
    conn->must_drop |= !llhttp_should_keep_alive(&conn->parser);
    if (!request_inflate(conn)) {
        refuse_and_end(conn, conn->refusal, conn->refusal_code, conn->refusal_message);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    conn->request.received_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    server->counts.requests_total++;
    conn->state = CONN_ASKED;
    conn->is_answered = false;
    conn->is_asked = true;
    server->handler.on_request(server->handler.arg, &conn->exchange);
}

/* Parse what is there. True: a request is whole. */
static bool parse(struct conn *conn) {
    if (conn->parsed == conn->in_length) return false;
    enum llhttp_errno code =
        llhttp_execute(&conn->parser, conn->in + conn->parsed, conn->in_length - conn->parsed);
    if (code == HPE_OK) {
        conn->parsed = conn->in_length;
        if (conn->state == CONN_HEAD && conn->in_length > conn->server->limits.header_bytes_max)
            refuse_and_end(conn, 431, "headers_too_large", "the head of a request may have 16 KiB");
        return false;
    }
    if (code == HPE_PAUSED || code == HPE_PAUSED_UPGRADE) {
        const char *at = llhttp_get_error_pos(&conn->parser);
        conn->parsed = (uint32_t)(at - conn->in);
        if (code == HPE_PAUSED)
            llhttp_resume(&conn->parser);
        else
            llhttp_resume_after_upgrade(&conn->parser);
        uint32_t head = conn->body.length ? conn->body.from : conn->parsed;
        if (head <= conn->server->limits.header_bytes_max) return true;
        refuse_and_end(conn, 431, "headers_too_large", "the head of a request may have 16 KiB");
        return false;
    }
    if (conn->refusal)
        refuse_and_end(conn, conn->refusal, conn->refusal_code, conn->refusal_message);
    else
        refuse_and_end(conn, 400, "bad_request", "this is not an HTTP request");
    return false;
}

void conn_process(struct conn *conn) {
    if (conn->is_in_process) return;
    conn->is_in_process = true;
    while (conn->state <= CONN_ASKED && !conn->is_writing) {
        if (conn->state == CONN_ASKED) {
            if (!conn->is_answered) break;
            finish_request(conn);
            if (conn->out.length > 64 * 1024) answer_flush(conn); /* keeps what waits small */
        } else if (parse(conn))
            ask(conn);
        else
            break;
    }
    conn->is_in_process = false;
    answer_flush(conn);
    if (conn->state == CONN_CLOSING) return;
    if (conn->state == CONN_LINGER) return;
    if (conn->state == CONN_ENDING && !conn->is_writing) {
        if (conn->lingers && !conn->server->is_draining)
            linger(conn);
        else
            conn_close(conn);
        return;
    }
    if (conn->state == CONN_IDLE && conn->server->is_draining && !conn->is_writing) {
        conn_close(conn);
        return;
    }
    want_reading(conn, !conn->is_writing &&
                           (conn->state != CONN_ASKED || conn->in_length - conn->parsed < 64 * 1024) &&
                           conn->state != CONN_ENDING);
}

void conn_tick(struct conn *conn, uint64_t now_ms) {
    const struct at_server_limits *limits = &conn->server->limits;
    uint64_t waited = now_ms > conn->since_ms ? now_ms - conn->since_ms : 0;
    if (conn->is_writing) {
        if (waited > limits->body_timeout_ms) conn_close(conn);
        return;
    }
    switch (conn->state) {
    case CONN_IDLE:
        if (waited > limits->idle_timeout_ms) conn_close(conn);
        break;
    case CONN_HEAD:
    case CONN_BODY:
        if (waited <= (conn->state == CONN_HEAD ? limits->header_timeout_ms : limits->body_timeout_ms)) break;
        refuse_and_end(conn, 408, "timeout", "the request did not come in time");
        conn_process(conn);
        break;
    case CONN_LINGER:
        if (waited > LINGER_MS) conn_close(conn);
        break;
    default: break;
    }
}
