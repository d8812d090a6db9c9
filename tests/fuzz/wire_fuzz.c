/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes the whole way of a connection's bytes through a real server: the same bytes at once and in pieces
 * must give the same answers, and the server must live on.
 * The first byte says in which pieces. With -DAT_PLANT_FAULT a write past a buffer hides behind
 * paths of some lengths.
 */
// Covers: runtime/net/request.c
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "net/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim) {
    if (!claim) abort();
}

static void on_request(void *arg, struct at_exchange *exchange) {
    struct at_request *request = exchange->request;
    struct at_text limit = at_request_param(request, "limit");
    struct at_bytes text;
    (void)arg;
    at_bytes_init(&text, 1 << 20);
    at_bytes_printf(&text, "%d|", request->method);
    at_bytes_add(&text, request->path.data, request->path.length);
    at_bytes_add(&text, request->query.data, request->query.length);
    at_bytes_add(&text, limit.data, limit.length);
    for (uint32_t i = 0; i < request->header_count; i++) {
        at_bytes_add(&text, request->headers[i].name.data, request->headers[i].name.length);
        at_bytes_add(&text, request->headers[i].value.data, request->headers[i].value.length);
    }
    at_bytes_add(&text, request->body.data, request->body.length);
    char padding[AT_BODY_PADDING]; /* must be readable */
    if (request->is_padded) memcpy(padding, request->body.data + request->body.length, sizeof padding);
#ifdef AT_PLANT_FAULT
    char *small = malloc(4);
    if (small && request->path.length % 4 == 3) small[request->path.length + 1] = 'x'; /* no seed's path */
    if (small) at_bytes_add(&text, small, 0);
    free(small);
#endif
    struct at_answer answer = {200, "text/plain", NULL, {text.data, text.length}, false};
    exchange->answer(exchange, &answer);
    at_bytes_clear(&text);
}

static struct at_loop *loop;
static struct at_server *server;
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void clean_up(void) {
    unlink(address.sun_path);
    *strrchr(address.sun_path, '/') = 0;
    rmdir(address.sun_path);
}

static void set_up(void) {
    struct at_server_handler handler = {NULL, on_request, NULL, NULL};
    char folder[] = "/tmp/wire-fuzz-XXXXXX", where[200];
    require(mkdtemp(folder) != NULL);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
    snprintf(where, sizeof where, "unix:%s", address.sun_path);
    atexit(clean_up);
    require(at_loop_new(&loop, NULL, NULL) == AT_OK);
    require(at_server_open(&server, loop, where, 0, NULL, &handler, NULL, NULL) == AT_OK);
}

static void turn(void) {
    uv_run(at_loop_uv(loop), UV_RUN_NOWAIT);
}

/* Say data in pieces, end, and hear all the answers. */
static void talk(const uint8_t *data, size_t size, size_t piece, struct at_bytes *heard) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    char buffer[65536];
    require(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    turn();
    for (size_t at = 0; at < size; at += piece) {
        ssize_t n = send(fd, data + at, size - at < piece ? size - at : piece, MSG_NOSIGNAL);
        if (n < 0) break; /* it was refused, and what follows is not listened to */
        turn();
    }
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 100000; i++) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n > 0) at_bytes_add(heard, buffer, (size_t)n);
        if (n == 0 || (n < 0 && errno != EAGAIN)) break;
        require(i < 99999); /* a peer that has ended is let go */
        turn();
    }
    close(fd);
    turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct at_bytes whole, pieces;
    if (!server) set_up();
    if (size < 2 || size > 8192) return 0; /* below the limits that depend on how bytes come */
    at_bytes_init(&whole, 1 << 26);
    at_bytes_init(&pieces, 1 << 26);
    talk(data + 1, size - 1, size, &whole);
    talk(data + 1, size - 1, data[0] ? data[0] : 1, &pieces);
    require(at_text_equal((struct at_text){whole.data, whole.length},
                          (struct at_text){pieces.data, pieces.length}));
    require(at_server_counts(server).connections_now == 0);
    at_bytes_clear(&whole);
    at_bytes_clear(&pieces);
    return 0;
}
