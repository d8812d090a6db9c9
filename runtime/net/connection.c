/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection's life: read, parse, ask, go on. One request at a time; what is pipelined waits in the buffer.
 */
#include <stdlib.h>
#include <string.h>
#include "net/internal.h"

#define FIRST_BYTES (16u * 1024)
#define KEPT_BYTES  (128u * 1024) /* what is larger goes between requests */
#define LINGER_MS   1000
#define MOVED_BYTES (16u * 1024) /* a reader that takes so much within the timeout is slow, not gone */
#define ARENA_MAX   (1u << 30)
#define HELD_MAX    16     /* answers that wait for each other, */
#define HELD_NS     200000 /* and how long the first of them */

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
    conn->has_kit = conn->is_in_process = conn->is_answered = conn->is_ready = conn->is_reading =
        conn->is_writing = conn->is_asked = conn->is_gone = false;
    conn->wants_close = conn->is_http_1_0 = conn->must_drop = conn->lingers = false;
    conn->has_ended = conn->is_over = false;
    conn->in_length = conn->parsed = conn->begin = 0;
    llhttp_init(&conn->parser, HTTP_REQUEST, &server->settings);
    conn->parser.data = conn;
    request_reset(conn);
    return conn;
}

void conn_free(struct conn *conn) {
    conn_rest(conn);
    if (conn->server->account) at_account_give(conn->server->account, sizeof *conn);
    free(conn);
}

/* ---- memory of a request ---- */

static void free_buffer(struct conn *conn) {
    if (conn->server->account) at_account_give(conn->server->account, conn->in_capacity);
    free(conn->in);
    conn->in = NULL;
    conn->in_capacity = 0;
}

/* The account is not told: what is counted for one is counted for the next. */
static void take_kit(struct conn *conn) {
    struct at_server *server = conn->server;
    conn->has_kit = true;
    if (!conn->in && !conn->arena.head && server->kit_count) {
        struct kit *kit = &server->kits[--server->kit_count];
        conn->in = kit->in;
        conn->in_capacity = kit->in_capacity;
        conn->arena = kit->arena;
    }
    if (conn->out.data || !server->out_count) return;
    conn->out = server->outs[--server->out_count];
    conn->counted_bytes += conn->out.capacity;
}

/* What the request was read into. */
static void give_kit(struct conn *conn) {
    struct at_server *server = conn->server;
    conn->has_kit = false;
    at_arena_reset(&conn->arena);
    if (conn->in && conn->in_capacity <= KEPT_BYTES && server->kit_count < KITS_MAX && !server->is_closing) {
        server->kits[server->kit_count++] = (struct kit){conn->in, conn->in_capacity, conn->arena};
        conn->in = NULL;
        conn->in_capacity = 0;
        at_arena_init(&conn->arena, ARENA_MAX);
        return;
    }
    free_buffer(conn);
    at_arena_clear(&conn->arena);
}

void conn_rest(struct conn *conn) {
    struct at_server *server = conn->server;
    give_kit(conn);
    at_bytes_clear(&conn->writing);
    at_bytes_reset(&conn->out);
    answer_count(conn);
    if (conn->out.data && conn->out.capacity <= KEPT_BYTES && server->out_count < KITS_MAX &&
        !server->is_closing) {
        server->outs[server->out_count++] = conn->out;
        conn->out.data = NULL;
        conn->out.capacity = 0;
        conn->counted_bytes = 0;
        return;
    }
    at_bytes_clear(&conn->out);
    answer_count(conn);
}

void kits_free(struct at_server *server) {
    while (server->kit_count) {
        struct kit *kit = &server->kits[--server->kit_count];
        if (server->account) at_account_give(server->account, kit->in_capacity);
        free(kit->in);
        at_arena_clear(&kit->arena);
    }
    while (server->out_count) {
        struct at_bytes *out = &server->outs[--server->out_count];
        if (server->account) at_account_give(server->account, out->capacity);
        at_bytes_clear(out);
    }
}

/* Between requests, but for an answer that may be there to write. */
static bool is_done(const struct conn *conn) {
    return conn->state == CONN_IDLE && !conn->in_length && !conn->is_writing && !conn->is_asked;
}
static bool is_at_rest(const struct conn *conn) {
    return is_done(conn) && !conn->out.length;
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

static void move_span(struct span *span, uint32_t by) {
    if (span->length) span->from -= by;
}

/* What is over goes out of the buffer; what has come of the next request moves to its front. */
static void move_down(struct conn *conn) {
    uint32_t by = conn->begin;
    if (!by) return;
    memmove(conn->in, conn->in + by, conn->in_length - by);
    conn->in_length -= by;
    conn->parsed -= by;
    conn->begin = 0;
    if (conn->head_end) conn->head_end -= by;
    move_span(&conn->url, by);
    move_span(&conn->body, by);
    for (uint32_t i = 0; i < conn->header_count; i++) {
        move_span(&conn->names[i], by);
        move_span(&conn->values[i], by);
    }
}

static uint32_t room_left(const struct conn *conn) {
    uint64_t used = (uint64_t)conn->in_length + AT_BODY_PADDING;
    return conn->in_capacity > used ? (uint32_t)(conn->in_capacity - used) : 0;
}

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
    *buffer = uv_buf_init(NULL, 0); /* "no room" */
    if (!conn->has_kit) take_kit(conn);
    if (conn->state != CONN_ASKED) {
        move_down(conn);
        if (!make_room(conn, more)) return;
    }
    if (room_left(conn)) *buffer = uv_buf_init(conn->in + conn->in_length, room_left(conn));
}

static void want_reading(struct conn *conn, bool wants);
static void go_through(struct conn *conn);
static void settle(struct conn *conn);
static bool hold(struct conn *conn);
static void refuse_and_end(struct conn *conn, int status, const char *code, const char *message);

static void on_read_failed(struct conn *conn, ssize_t code) {
    if (code == UV_ENOBUFS && conn->state < CONN_ASKED) {
        refuse_and_end(conn, 503, "no_memory", "out of memory");
        conn_process(conn);
    } else if (code == UV_EOF && conn->state <= CONN_ENDING && conn->state != CONN_STREAM) {
        /* The peer says no more, and may still read: what it asked is answered. */
        conn->has_ended = true;
        want_reading(conn, false);
        conn_process(conn);
    } else
        conn_close(conn);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer) {
    struct conn *conn = stream->data;
    (void)buffer;
    if (n < 0) return on_read_failed(conn, n);
    if (n == 0) {
        if (is_at_rest(conn)) conn_rest(conn);
        return;
    }
    if (conn->state == CONN_STREAM || conn->state == CONN_ENDING || conn->state == CONN_LINGER)
        return; /* nothing more is listened to */
    conn->in_length += (uint32_t)n;
    if (conn->state == CONN_BODY) conn->since_ms = uv_now(stream->loop);
    go_through(conn);
    if (!hold(conn)) settle(conn);
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

/* The request is over: its memory goes; its bytes stay in front of the next one's until the buffer is read
 * into, so that many small requests in one read are not moved once for each. */
static void finish_request(struct conn *conn) {
    conn->is_answered = false;
    at_arena_reset(&conn->arena);
    conn->begin = conn->parsed;
    if (conn->begin == conn->in_length) conn->begin = conn->parsed = conn->in_length = 0;
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
    conn->in_length = conn->parsed = conn->begin = 0;
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

/* Of a chunked body only the data stays in the buffer: sizes, extensions and trailers do not fill it, and may
 * not go on for ever either. */
static void drop_framing(struct conn *conn) {
    if (!conn->head_end) conn->head_end = conn->in_length;
    uint32_t end = conn->body.length ? conn->body.from + conn->body.length : conn->head_end;
    conn->framing_bytes += conn->in_length - end;
    conn->in_length = conn->parsed = end;
    if (conn->framing_bytes > conn->server->limits.header_bytes_max + 8ull * conn->body.length)
        refuse_and_end(conn, 400, "bad_request", "the chunks of this body are more framing than body");
}

/* Everything there has been seen, and no request is whole. */
static void wait_for_more(struct conn *conn) {
    conn->parsed = conn->in_length;
    if (conn->state == CONN_IDLE) /* empty lines */
        conn->begin = conn->parsed = conn->in_length = 0;
    else if (conn->state == CONN_BODY)
        drop_framing(conn);
    else if (conn->in_length - conn->begin > conn->server->limits.header_bytes_max)
        refuse_and_end(conn, 431, "headers_too_large", "the head of this request is too large");
}

/* Parse what is there. True: a request is whole. */
static bool parse(struct conn *conn) {
    if (conn->parsed == conn->in_length) return false;
    enum llhttp_errno code =
        llhttp_execute(&conn->parser, conn->in + conn->parsed, conn->in_length - conn->parsed);
    if (code == HPE_OK) {
        wait_for_more(conn);
        return false;
    }
    if (code == HPE_PAUSED) {
        conn->parsed = (uint32_t)(llhttp_get_error_pos(&conn->parser) - conn->in);
        llhttp_resume(&conn->parser);
        return true;
    }
    if (conn->refusal)
        refuse_and_end(conn, conn->refusal, conn->refusal_code, conn->refusal_message);
    else
        refuse_and_end(conn, 400, "bad_request", "this is not an HTTP request");
    return false;
}

/* Nothing more will be asked or said. */
static bool is_finished(const struct conn *conn) {
    switch (conn->state) {
    case CONN_IDLE: return conn->has_ended || conn->server->is_draining;
    case CONN_HEAD:
    case CONN_BODY: return conn->has_ended;
    case CONN_STREAM: return conn->is_over;
    default: return conn->state == CONN_ENDING;
    }
}

static void go_through(struct conn *conn) {
    if (conn->is_in_process || conn->state == CONN_CLOSING) return;
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
}

/* Writes what was answered, and reads on, rests or ends. */
static void settle(struct conn *conn) {
    if (conn->is_in_process || conn->state == CONN_CLOSING) return;
    answer_flush(conn);
    if (conn->state == CONN_CLOSING || conn->state == CONN_LINGER) return;
    if (conn->has_kit && is_at_rest(conn)) conn_rest(conn);
    if (!conn->is_writing && is_finished(conn)) {
        if (conn->lingers && !conn->server->is_draining && !conn->has_ended)
            linger(conn);
        else
            conn_close(conn);
        return;
    }
    /* A stream is read although nothing is listened to: that is how its end is seen. */
    want_reading(conn, !conn->has_ended && conn->state != CONN_ENDING &&
                           (conn->state == CONN_STREAM || !conn->is_writing) &&
                           (conn->state != CONN_ASKED || room_left(conn) > 0));
}

void conn_process(struct conn *conn) {
    go_through(conn);
    settle(conn);
}

/* An answer to what was just read waits for those to what other connections sent meanwhile, and all are
 * written together: a peer that reads several of them is woken once, not once for each. What the request was
 * read into goes to the next one at once. False: it is not such an answer. */
static bool hold(struct conn *conn) {
    struct at_server *server = conn->server;
    if (!is_done(conn) || !conn->out.length || conn->has_ended || server->is_draining) return false;
    give_kit(conn);
    conn_later(conn);
    uint64_t now = uv_hrtime();
    if (!server->held_count++) server->held_ns = now;
    if (server->held_count == HELD_MAX || now - server->held_ns > HELD_NS) server_go_on(server);
    return true;
}

void conn_tick(struct conn *conn, uint64_t now_ms) {
    const struct at_server_limits *limits = &conn->server->limits;
    uint64_t waited = now_ms > conn->since_ms ? now_ms - conn->since_ms : 0;
    if (conn->is_writing) {
        size_t left = uv_stream_get_write_queue_size(&conn->uv.stream);
        if (conn->unwritten - left >= MOVED_BYTES) {
            conn->unwritten = left;
            conn->since_ms = now_ms;
        } else if (waited > limits->body_timeout_ms)
            conn_close(conn);
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
