/* SPDX-License-Identifier: Apache-2.0
 *
 * A request and the way to answer it, independent of sockets: net/ fills them from the wire, attune.c from a
 * call in the same process, api/ reads them. Texts are lent until the answer has been given.
 */
#ifndef AT_NET_MESSAGE_H
#define AT_NET_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/bytes.h"

enum at_method { AT_GET, AT_HEAD, AT_POST, AT_PUT, AT_PATCH, AT_DELETE, AT_OPTIONS, AT_METHOD_OTHER };

#define AT_HEADERS_MAX 64
struct at_header {
    struct at_text name; /* as sent */
    struct at_text value;
};

struct at_request {
    enum at_method method;
    struct at_text path;  /* percent-encoded as sent, without query */
    struct at_text query; /* after '?', without it; may be empty */
    struct at_header headers[AT_HEADERS_MAX];
    uint32_t header_count;
    struct at_text body; /* inflated; AT_JSON_PADDING readable bytes follow (is_padded) */
    bool is_padded;
    bool is_loopback;       /* the peer is on this machine, or the host called in process */
    struct at_arena *arena; /* the request's memory: dies after the answer */
    int64_t received_ms;    /* the shop's clock is applied in shop/, this is wall time */
};

/* The value of a header, case-insensitive; data NULL if absent. */
struct at_text at_request_header(const struct at_request *request, const char *name);
/* The decoded value of a query parameter ("limit"), NUL-terminated in the arena; data NULL if absent. "+" is
 * a space. */
struct at_text at_request_param(const struct at_request *request, const char *name);
/* Percent-decode into the arena, NUL-terminated. AT_INVALID on broken escapes or NUL. */
enum at_status at_percent_decode(struct at_arena *arena, struct at_text in, bool plus_is_space,
                                 struct at_text *out) AT_MUST_CHECK;

/* What is answered. headers: extra "Name: value\r\n" lines, or NULL. */
struct at_answer {
    int status;
    const char *content_type; /* NULL: application/json */
    const char *headers;      /* extra lines, each ended by \r\n; NULL: none */
    struct at_text body;      /* copied before the call returns */
    bool close;               /* close the connection afterwards */
};
/* One pending exchange: answer exactly once, on its loop's thread; any time later. */
struct at_exchange {
    struct at_request *request;
    void (*answer)(struct at_exchange *exchange, const struct at_answer *answer);
    /* Begin an endless text/event-stream answer; the stream is closed by the peer or by at_stream_close.
     * NULL: not possible here. */
    struct at_stream *(*stream)(struct at_exchange *exchange, void (*on_close)(void *arg), void *arg);
};

struct at_stream;
/* Queue bytes; a reader that is too slow loses the newest ones (returns false; counted by the caller). */
bool at_stream_send(struct at_stream *stream, struct at_text text);
void at_stream_close(struct at_stream *stream);

#endif
