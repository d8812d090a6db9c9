/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes a connection's bytes: llhttp with the server's callbacks, the request's texts, gzip bodies, query parameters. The
 * first byte says in which pieces the rest comes. With -DAT_PLANT_FAULT a write past a buffer hides behind one header.
 */
#include <stdlib.h>
#include <string.h>
#include "net/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct conn *conn) {
    struct at_text value = at_request_param(&conn->request, "limit");
    volatile size_t sum = value.length;
    for (uint32_t i = 0; i < conn->request.header_count; i++) {
        struct at_text name = conn->request.headers[i].name;
        for (size_t j = 0; j < name.length; j++) sum += (unsigned char)name.data[j];
    }
    for (size_t j = 0; j < conn->request.body.length; j++) sum += (unsigned char)conn->request.body.data[j];
#ifdef AT_PLANT_FAULT
    struct at_text key = at_request_header(&conn->request, "x-key");
    if (key.length > 4) { /* the seed's has four */
        char *small = malloc(4);
        if (small) memset(small, 'x', key.length);
        sum += small ? (unsigned char)small[0] : 0;
        free(small);
    }
#endif
}

/* False: the connection would be closed. */
static bool feed(struct conn *conn, const uint8_t *data, size_t length) {
    memcpy(conn->in + conn->in_length, data, length);
    conn->in_length += (uint32_t)length;
    while (conn->parsed < conn->in_length) {
        enum llhttp_errno code =
            llhttp_execute(&conn->parser, conn->in + conn->parsed, conn->in_length - conn->parsed);
        if (code == HPE_OK) {
            conn->parsed = conn->in_length;
            return true;
        }
        if (code != HPE_PAUSED && code != HPE_PAUSED_UPGRADE) return false;
        conn->parsed = (uint32_t)(llhttp_get_error_pos(&conn->parser) - conn->in);
        if (code == HPE_PAUSED) llhttp_resume(&conn->parser);
        else llhttp_resume_after_upgrade(&conn->parser);
        request_texts(conn);
        if (request_inflate(conn)) use(conn);
        at_arena_reset(&conn->arena);
        uint32_t rest = conn->in_length - conn->parsed;
        memmove(conn->in, conn->in + conn->parsed, rest);
        conn->in_length = rest;
        conn->parsed = 0;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uv_loop_t loop;
    static struct at_server server;
    if (!server.check.loop) {
        uv_loop_init(&loop);
        server.limits = at_server_limits_default;
        request_settings(&server.settings);
        uv_check_init(&loop, &server.check);
    }
    if (size < 2) return 0;
    struct conn *conn = calloc(1, sizeof *conn);
    if (!conn) return 0;
    conn->server = &server;
    conn->in_capacity = (uint32_t)size + AT_BODY_PADDING;
    conn->in = calloc(1, conn->in_capacity);
    at_arena_init(&conn->arena, 1 << 24);
    at_bytes_init(&conn->out, 1 << 20);
    llhttp_init(&conn->parser, HTTP_REQUEST, &server.settings);
    conn->parser.data = conn;
    request_reset(conn);
    size_t piece = data[0] ? data[0] : size;
    for (size_t at = 1; conn->in && at < size; at += piece)
        if (!feed(conn, data + at, size - at < piece ? size - at : piece)) break;
    at_arena_clear(&conn->arena);
    at_bytes_clear(&conn->out);
    free(conn->in);
    free(conn);
    return 0;
}
