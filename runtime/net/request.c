/* SPDX-License-Identifier: Apache-2.0
 *
 * From bytes to a request: llhttp's callbacks note offsets into the connection's buffer; when the request is
 * whole its texts are made from them. Bodies are kept in one piece (chunks move together in place) and
 * inflated if they say gzip.
 */
#include <string.h>
#include <strings.h>
#include <time.h>
#include <zlib.h>
#include "net/internal.h"

static int refuse(struct conn *conn, int status, const char *code, const char *message) {
    if (!conn->refusal) {
        conn->refusal = status;
        conn->refusal_code = code;
        conn->refusal_message = message;
    }
    return HPE_USER;
}

void request_reset(struct conn *conn) {
    conn->url = conn->body = (struct span){0, 0};
    conn->header_count = 0;
    conn->in_value = conn->has_too_many = false;
    conn->refusal = 0;
    conn->head_end = 0;
    conn->framing_bytes = 0;
    conn->body_max = conn->server->limits.body_bytes_max;
}

static void extend(struct conn *conn, struct span *span, const char *at, size_t length) {
    if (!span->length) span->from = (uint32_t)(at - conn->in);
    span->length += (uint32_t)length;
}

static int on_begin(llhttp_t *parser) {
    struct conn *conn = parser->data;
    request_reset(conn);
    conn->state = CONN_HEAD;
    conn->since_ms = uv_now(conn->server->check.loop);
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t length) {
    struct conn *conn = parser->data;
    extend(conn, &conn->url, at, length);
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t length) {
    struct conn *conn = parser->data;
    if (conn->state == CONN_BODY) return 0; /* trailers: what they say comes too late to be obeyed */
    if (conn->in_value || !conn->header_count) {
        if (conn->header_count == AT_HEADERS_MAX)
            return refuse(conn, 431, "too_many_headers", "a request may have 64 headers");
        conn->in_value = false;
        conn->names[conn->header_count] = conn->values[conn->header_count] = (struct span){0, 0};
        conn->header_count++;
    }
    extend(conn, &conn->names[conn->header_count - 1], at, length);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t length) {
    struct conn *conn = parser->data;
    if (conn->state == CONN_BODY) return 0;
    struct span *value = &conn->values[conn->header_count - 1];
    conn->in_value = true;
    if (value->length && conn->in + value->from + value->length != at)
        return refuse(conn, 400, "bad_request", "a header may not go on in the next line");
    if (length) extend(conn, value, at, length);
    return 0;
}

static struct at_text text_at(const struct conn *conn, struct span span) {
    return (struct at_text){conn->in + span.from, span.length};
}

/* A value ends where its trailing spaces begin (RFC 9110, 5.5). */
static struct at_text value_at(const struct conn *conn, struct span span) {
    struct at_text value = text_at(conn, span);
    while (value.length && (value.data[value.length - 1] == ' ' || value.data[value.length - 1] == '\t'))
        value.length--;
    return value;
}

/* "http://host/path" is asked of proxies; a server takes it as "/path" (RFC 9112, 3.2.2). */
static struct at_text target_of(struct at_text url) {
    if (!url.length || url.data[0] == '/') return url;
    const char *authority = memmem(url.data, url.length, "://", 3);
    if (!authority) return url;
    size_t skipped = (size_t)(authority - url.data) + 3;
    while (skipped < url.length && url.data[skipped] != '/' && url.data[skipped] != '?') skipped++;
    if (skipped == url.length) return AT_TEXT("/");
    return (struct at_text){url.data + skipped, url.length - skipped};
}

static enum at_method method_of(int method) {
    switch (method) {
    case HTTP_GET: return AT_GET;
    case HTTP_HEAD: return AT_HEAD;
    case HTTP_POST: return AT_POST;
    case HTTP_PUT: return AT_PUT;
    case HTTP_PATCH: return AT_PATCH;
    case HTTP_DELETE: return AT_DELETE;
    case HTTP_OPTIONS: return AT_OPTIONS;
    default: return AT_METHOD_OTHER;
    }
}

void request_texts(struct conn *conn) {
    struct at_request *request = &conn->request;
    struct at_text url = target_of(text_at(conn, conn->url));
    const char *mark = memchr(url.data, '?', url.length);
    request->method = method_of(conn->parser.method);
    request->path = (struct at_text){url.data, mark ? (size_t)(mark - url.data) : url.length};
    request->query =
        mark ? (struct at_text){mark + 1, url.length - request->path.length - 1} : (struct at_text){"", 0};
    const char *fragment = memchr(request->query.data, '#', request->query.length);
    if (fragment) request->query.length = (size_t)(fragment - request->query.data);
    for (uint32_t i = 0; i < conn->header_count; i++)
        request->headers[i] =
            (struct at_header){text_at(conn, conn->names[i]), value_at(conn, conn->values[i])};
    request->header_count = conn->header_count;
    request->body = conn->body.length ? text_at(conn, conn->body) : (struct at_text){"", 0};
    request->is_padded = conn->body.length > 0;
    request->is_loopback = conn->is_loopback;
    request->arena = &conn->arena;
}

/* llhttp takes other protocols, and more than one space, for HTTP/1.1's own; a value that begins in a later
 * line than its name is folded. */
static bool is_well_formed(const struct conn *conn) {
    const char *in = conn->in, *end = in + conn->url.from + conn->url.length;
    if (!conn->url.length || conn->url.from < 2 || in[conn->url.from - 2] == ' ') return false;
    if (conn->in_length - (uint32_t)(end - in) < 6 || memcmp(end, " HTTP/", 6) != 0) return false;
    for (uint32_t i = 0; i < conn->header_count; i++) {
        uint32_t name_end = conn->names[i].from + conn->names[i].length;
        if (!conn->names[i].length || in[name_end] != ':')
            return false; /* "Host : x", which a loosely built llhttp takes */
        if (conn->values[i].length && memchr(in + name_end, '\n', conn->values[i].from - name_end))
            return false;
    }
    return true;
}

static uint32_t head_length(const struct conn *conn) {
    const struct span *last = conn->header_count ? &conn->names[conn->header_count - 1] : &conn->url;
    uint32_t end = last->from + last->length;
    if (conn->header_count) end += conn->values[conn->header_count - 1].length;
    return end - conn->begin;
}

/* What a proxy in front might read otherwise is refused, so that nobody smuggles a request past it. */
static bool is_smuggling(const struct conn *conn) {
    uint32_t lengths = 0, codings = 0, hosts = 0;
    for (uint32_t i = 0; i < conn->request.header_count; i++) {
        struct at_text name = conn->request.headers[i].name, value = conn->request.headers[i].value;
        if (name.length == 14 && strncasecmp(name.data, "content-length", 14) == 0) {
            lengths++;
            for (size_t j = 0; j < value.length; j++)
                if (value.data[j] < '0' || value.data[j] > '9') return true;
        }
        if (name.length == 17 && strncasecmp(name.data, "transfer-encoding", 17) == 0) {
            codings++;
            if (value.length != 7 || strncasecmp(value.data, "chunked", 7) != 0) return true;
        }
        hosts += name.length == 4 && strncasecmp(name.data, "host", 4) == 0;
    }
    return lengths + codings > 1 || hosts > 1 || (codings && conn->parser.http_minor == 0);
}

static int on_headers(llhttp_t *parser) {
    struct conn *conn = parser->data;
    parser->upgrade = 0; /* no other protocol is spoken: the offer is passed over */
    if (parser->http_major != 1 || parser->http_minor > 1)
        return refuse(conn, 505, "http_version", "the versions spoken here are 1.1 and 1.0");
    if (head_length(conn) > conn->server->limits.header_bytes_max)
        return refuse(conn, 431, "headers_too_large", "the head of this request is too large");
    request_texts(conn);
    if (conn->request.method == AT_METHOD_OTHER)
        return refuse(conn, 501, "not_implemented", "this method is not known here");
    if (!is_well_formed(conn))
        return refuse(conn, 400, "bad_request", "this is not a well-formed HTTP request");
    if (is_smuggling(conn))
        return refuse(conn, 400, "bad_request", "the framing of this request is ambiguous");
    if (conn->server->handler.body_limit) {
        uint32_t max = conn->server->handler.body_limit(conn->server->handler.arg, &conn->request);
        if (max) conn->body_max = max;
    }
    bool has_length = parser->flags & F_CONTENT_LENGTH;
    if (has_length && parser->content_length > conn->body_max)
        return refuse(conn, 413, "too_large", "the body is larger than this address takes");
    conn->state = CONN_BODY;
    bool has_body = (parser->flags & F_CHUNKED) || (has_length && parser->content_length);
    if (!has_body || !parser->http_minor) return 0;
    struct at_text expect = at_request_header(&conn->request, "expect");
    if (expect.length == 12 && strncasecmp(expect.data, "100-continue", 12) == 0)
        at_bytes_add_text(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t length) {
    struct conn *conn = parser->data;
    if (conn->body.length + length > conn->body_max)
        return refuse(conn, 413, "too_large", "the body is larger than this address takes");
    if (conn->body.length)
        memmove(conn->in + conn->body.from + conn->body.length, at, length);
    else
        conn->body.from = (uint32_t)(at - conn->in);
    conn->body.length += (uint32_t)length;
    return 0;
}

static int on_complete(llhttp_t *parser) {
    (void)parser;
    return HPE_PAUSED;
}

void request_settings(llhttp_settings_t *settings) {
    llhttp_settings_init(settings);
    settings->on_message_begin = on_begin;
    settings->on_url = on_url;
    settings->on_header_field = on_field;
    settings->on_header_value = on_value;
    settings->on_headers_complete = on_headers;
    settings->on_body = on_body;
    settings->on_message_complete = on_complete;
}

/* ---- gzip ---- */

static bool inflate_all(struct conn *conn, z_stream *zip, size_t most) {
    struct at_request *request = &conn->request;
    size_t room = request->body.length * 4 + 1024 < most ? request->body.length * 4 + 1024 : most, length = 0;
    char *text = at_arena_alloc(&conn->arena, room + AT_BODY_PADDING + 1);
    zip->next_in = (Bytef *)(uintptr_t)request->body.data;
    zip->avail_in = (uInt)request->body.length;
    for (int code = Z_OK; text && code != Z_STREAM_END;) {
        zip->next_out = (Bytef *)text + length;
        zip->avail_out = (uInt)(room + 1 - length);
        code = inflate(zip, Z_NO_FLUSH);
        length = room + 1 - zip->avail_out;
        if (code == Z_STREAM_END) break;
        if (code != Z_OK || (zip->avail_out && !zip->avail_in))
            return refuse(conn, 400, "bad_gzip", "the body is not whole gzip"), false;
        if (length <= room) continue;
        if (room == most)
            return refuse(conn, 413, "too_large", "the inflated body is larger than this address takes"),
                   false;
        size_t bigger = room * 4 < most ? room * 4 : most;
        char *next = at_arena_alloc(&conn->arena, bigger + AT_BODY_PADDING + 1);
        if (next) memcpy(next, text, length);
        text = next;
        room = bigger;
    }
    if (!text) return refuse(conn, 503, "no_memory", "out of memory"), false;
    if (length > most)
        return refuse(conn, 413, "too_large", "the inflated body is larger than this address takes"), false;
    if (zip->avail_in) return refuse(conn, 400, "bad_gzip", "there is something behind the gzip body"), false;
    memset(text + length, 0, AT_BODY_PADDING);
    request->body = (struct at_text){text, length};
    request->is_padded = true;
    return true;
}

bool request_inflate(struct conn *conn) {
    struct at_text coding = at_request_header(&conn->request, "content-encoding");
    if (!coding.length || (coding.length == 8 && strncasecmp(coding.data, "identity", 8) == 0)) return true;
    if (!(coding.length == 4 && strncasecmp(coding.data, "gzip", 4) == 0))
        return refuse(conn, 415, "unsupported_encoding", "bodies may be gzip, nothing else"), false;
    const struct at_server_limits *limits = &conn->server->limits;
    size_t most = conn->body_max > limits->body_bytes_max ? conn->body_max : limits->inflated_bytes_max;
    if (most > conn->request.body.length * 20) most = conn->request.body.length * 20;
    z_stream *zip = &conn->server->zip;
    if (!conn->server->has_zip) {
        *zip = (z_stream){0};
        if (inflateInit2(zip, 15 + 16) != Z_OK) return refuse(conn, 503, "no_memory", "out of memory"), false;
        conn->server->has_zip = true;
    } else if (inflateReset(zip) != Z_OK)
        return refuse(conn, 503, "no_memory", "the inflater is broken"), false;
    return inflate_all(conn, zip, most);
}

void request_zip_free(struct at_server *server) {
    if (server->has_zip) inflateEnd(&server->zip);
    server->has_zip = false;
}
