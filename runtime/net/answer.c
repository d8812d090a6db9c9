/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers: appended to the connection's output, written together, at once if the socket takes them. Streams
 * send what they have room for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "net/internal.h"

#define STREAM_BEHIND_MAX (256u * 1024)
#define KEPT_BYTES        (256u * 1024) /* an output buffer larger than this is given back once it is written */
#define STREAM_ALIVE_S    60

static const char *reason(int status) {
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 505: return "HTTP Version Not Supported";
    case 503: return "Service Unavailable";
    default: return "Status";
    }
}

static size_t put_number(char *out, size_t n) {
    char digits[24];
    size_t count = 0;
    do digits[count++] = (char)('0' + n % 10);
    while (n /= 10);
    for (size_t i = 0; i < count; i++) out[i] = digits[count - 1 - i];
    return count;
}

/* The head is put together by hand: this is on the way of every answer. */
static void put_head(struct conn *conn, int status, const char *type, const char *headers, size_t length,
                     bool has_length, bool closes) {
    struct at_bytes *out = &conn->out;
    const char *words = reason(status);
    size_t extra = headers ? strlen(headers) : 0, type_length = type ? strlen(type) : 0;
    if (!at_bytes_reserve(out, 200 + extra + type_length + length)) {
        out->failed = true;
        return;
    }
    char *at = out->data + out->length, *begin = at;
#define PUT(text, n) (memcpy(at, text, n), at += (n))
    PUT("HTTP/1.1 ", 9);
    at += put_number(at, (size_t)status);
    *at++ = ' ';
    PUT(words, strlen(words));
    PUT("\r\n", 2);
    if (status != 204 && status != 304 && type) {
        PUT("Content-Type: ", 14);
        PUT(type, type_length);
        PUT("\r\n", 2);
    }
    if (has_length && status != 204 && status != 304) {
        PUT("Content-Length: ", 16);
        at += put_number(at, length);
        PUT("\r\n", 2);
    }
    if (closes)
        PUT("Connection: close\r\n", 19);
    else if (conn->is_http_1_0)
        PUT("Connection: keep-alive\r\n", 24);
    if (extra) PUT(headers, extra);
    PUT("\r\n", 2);
#undef PUT
    out->length += (size_t)(at - begin);
    out->data[out->length] = 0;
}

void answer_write(struct conn *conn, const struct at_answer *answer) {
    bool is_head = conn->request.method == AT_HEAD;
    bool closes = answer->close || conn->must_drop || conn->server->is_draining;
    conn->wants_close |= closes;
    put_head(conn, answer->status, answer->content_type ? answer->content_type : "application/json",
             answer->headers, answer->body.length, true, closes);
    if (!is_head && answer->status != 204 && answer->status != 304)
        at_bytes_add(&conn->out, answer->body.data, answer->body.length);
    if (conn->out.failed) conn_close(conn);
}

void answer_refuse(struct conn *conn, int status, const char *code, const char *message) {
    char body[400];
    int length =
        snprintf(body, sizeof body, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", code, message);
    struct at_answer answer = {
        status, NULL, status == 503 ? "Retry-After: 1\r\n" : NULL, {body, (size_t)length}, true};
    conn->request.method = AT_GET; /* the body is sent whatever was asked */
    conn->server->counts.refusals_total++;
    if (conn->server->handler.on_refusal)
        conn->server->handler.on_refusal(conn->server->handler.arg, status, code);
    answer_write(conn, &answer);
}

void conn_later(struct conn *conn) {
    if (conn->is_ready) return;
    conn->is_ready = true;
    conn->next_ready = NULL;
    *conn->server->ready_end = conn;
    conn->server->ready_end = &conn->next_ready;
}

static void answered(struct at_exchange *exchange, const struct at_answer *answer) {
    struct conn *conn = (struct conn *)((char *)exchange - offsetof(struct conn, exchange));
    AT_ASSERT(!conn->is_answered);
    conn->is_answered = true;
    conn->is_asked = false;
    if (conn->state == CONN_ASKED) answer_write(conn, answer);
    if (!conn->is_in_process) conn_later(conn); /* the caller may still use the arena */
}
void (*const answer_fn)(struct at_exchange *exchange, const struct at_answer *answer) = answered;

/* ---- writing ---- */

/* Empty it; what a large answer needed is not kept for small ones. */
static void empty(struct at_bytes *bytes) {
    if (bytes->capacity > KEPT_BYTES)
        at_bytes_clear(bytes);
    else
        at_bytes_reset(bytes);
}

void answer_count(struct conn *conn) {
    size_t now = conn->out.capacity + conn->writing.capacity, before = conn->counted_bytes;
    if (now == before) return;
    conn->counted_bytes = now;
    if (!conn->server->account) return;
    if (now > before)
        at_account_force(conn->server->account, now - before);
    else
        at_account_give(conn->server->account, before - now);
}

static void on_written(uv_write_t *write, int status) {
    struct conn *conn = write->data;
    conn->is_writing = false;
    empty(&conn->writing);
    answer_count(conn);
    conn->since_ms = uv_now(conn->server->check.loop);
    if (status < 0 || conn->state == CONN_CLOSING)
        conn_close(conn);
    else
        conn_process(conn);
}

/* on_close comes from the loop, never from inside a send. */
static void end_stream(struct conn *conn) {
    conn->is_over = true;
    conn_later(conn);
}

static void write_rest(struct conn *conn, size_t done) {
    struct at_bytes full = conn->out;
    conn->out = conn->writing;
    conn->writing = full;
    uv_buf_t buffer = uv_buf_init(full.data + done, (unsigned)(full.length - done));
    conn->write.data = conn;
    conn->is_writing = uv_write(&conn->write, &conn->uv.stream, &buffer, 1, on_written) == 0;
    conn->since_ms = uv_now(conn->server->check.loop);
    conn->unwritten = uv_stream_get_write_queue_size(&conn->uv.stream);
    if (conn->is_writing) return;
    if (conn->state == CONN_STREAM)
        end_stream(conn);
    else
        conn_close(conn);
}

void answer_flush(struct conn *conn) {
    if (conn->state == CONN_CLOSING || conn->is_writing || !conn->out.length) return;
    uv_buf_t buffer = uv_buf_init(conn->out.data, (unsigned)conn->out.length);
    int n = uv_try_write(&conn->uv.stream, &buffer, 1);
    if (n < 0 && n != UV_EAGAIN) {
        if (conn->state != CONN_STREAM) {
            conn_close(conn);
            return;
        }
        end_stream(conn);
        n = (int)conn->out.length;
    }
    if (n == (int)conn->out.length)
        empty(&conn->out);
    else
        write_rest(conn, n > 0 ? (size_t)n : 0);
    answer_count(conn);
}

/* ---- streams ---- */

struct at_stream *answer_stream(struct at_exchange *exchange, void (*on_close)(void *arg), void *arg) {
    struct conn *conn = (struct conn *)((char *)exchange - offsetof(struct conn, exchange));
    if (conn->state != CONN_ASKED) return NULL;
    put_head(conn, 200, "text/event-stream", "Cache-Control: no-store\r\n", 0, false, true);
    conn->sse = (struct at_stream){conn, on_close, arg};
    conn->state = CONN_STREAM;
    conn->is_asked = false; /* the stream is the answer */
    conn->is_over = conn->request.method == AT_HEAD || conn->out.failed;
    if (!conn->server->is_pipe) uv_tcp_keepalive(&conn->uv.tcp, 1, STREAM_ALIVE_S);
    conn_later(conn); /* on_close is never called from in here: the caller has not got the stream yet */
    return &conn->sse;
}

bool at_stream_send(struct at_stream *stream, struct at_text text) {
    struct conn *conn = stream->conn;
    if (conn->state != CONN_STREAM || conn->is_over ||
        conn->out.length + conn->writing.length + text.length > STREAM_BEHIND_MAX)
        return false;
    if (!at_bytes_reserve(&conn->out, text.length)) {
        conn->out.failed = false; /* this one is lost, not the stream */
        return false;
    }
    at_bytes_add(&conn->out, text.data, text.length);
    if (conn->out.length > STREAM_BEHIND_MAX / 4)
        answer_flush(conn);
    else
        conn_later(conn); /* what one turn says goes out together */
    return true;
}

void at_stream_close(struct at_stream *stream) {
    struct conn *conn = stream->conn;
    if (conn->state != CONN_STREAM) return;
    conn->sse.on_close = NULL;
    conn->state = CONN_ENDING;
    conn_later(conn); /* what was sent is written first */
}
