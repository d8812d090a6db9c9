/* SPDX-License-Identifier: Apache-2.0
 *
 * The listener and the list of its connections.
 */
#include "net/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "net/internal.h"

#define TICK_MS     500
#define BACKLOG     1024
#define SPARE_MAX   256
#define REFUSED_MAX 256 /* connections over the limit that may stay a second to read their refusal */

const struct at_server_limits at_server_limits_default = {
    .connections_max = 4096,
    .header_bytes_max = 16 * 1024,
    .body_bytes_max = 1024 * 1024,
    .inflated_bytes_max = 500 * 1024,
    .output_bytes_max = 64 * 1024 * 1024,
    .header_timeout_ms = 10000,
    .body_timeout_ms = 30000,
    .idle_timeout_ms = 75000,
};

/* ---- accepting ---- */

static bool is_loopback(struct conn *conn) {
    struct sockaddr_storage peer;
    int length = sizeof peer;
    if (conn->server->is_pipe) return true;
    if (uv_tcp_getpeername(&conn->uv.tcp, (struct sockaddr *)&peer, &length)) return false;
    if (peer.ss_family == AF_INET)
        return (ntohl(((struct sockaddr_in *)&peer)->sin_addr.s_addr) >> 24) == 127;
    return peer.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&peer)->sin6_addr);
}

static void add(struct at_server *server, struct conn *conn) {
    conn->previous = NULL;
    conn->next = server->conns;
    if (conn->next) conn->next->previous = conn;
    server->conns = conn;
    server->counts.connections_total++;
    server->counts.connections_now++;
}

static void on_connection(uv_stream_t *listener, int status) {
    struct at_server *server = listener->data;
    if (status < 0) return;
    struct conn *conn = conn_new(server);
    server->has_waiting = !conn; /* libuv listens again when it is accepted: on_tick tries */
    if (!conn) return;
    if (server->is_pipe)
        uv_pipe_init(listener->loop, &conn->uv.pipe, 0);
    else
        uv_tcp_init(listener->loop, &conn->uv.tcp);
    conn->uv.handle.data = conn;
    add(server, conn);
    if (uv_accept(listener, &conn->uv.stream)) {
        conn_close(conn);
        return;
    }
    if (!server->is_pipe) uv_tcp_nodelay(&conn->uv.tcp, 1);
    conn->is_loopback = is_loopback(conn);
    if (server->counts.connections_now > server->limits.connections_max) {
        answer_refuse(conn, 503, "too_many_connections", "too many connections: try again in a moment");
        conn->state = CONN_ENDING;
        conn->lingers = server->counts.connections_now <= server->limits.connections_max + REFUSED_MAX;
        conn_process(conn);
        return;
    }
    conn_begin(conn);
}

static void let_go(struct at_server *server);

void server_conn_gone(struct conn *conn) {
    struct at_server *server = conn->server;
    if (conn->is_asked || conn->is_ready) { /* its memory is in use until the answer has come */
        conn->is_gone = true;
        return;
    }
    if (conn->previous)
        conn->previous->next = conn->next;
    else
        server->conns = conn->next;
    if (conn->next) conn->next->previous = conn->previous;
    server->counts.connections_now--;
    conn_rest(conn);
    if (server->spare_count < SPARE_MAX && !server->is_closing) {
        conn->next = server->spare;
        server->spare = conn;
        server->spare_count++;
    } else
        conn_free(conn);
    if (!server->conns && server->is_draining && server->on_drained) {
        void (*on_drained)(void *) = server->on_drained;
        server->on_drained = NULL;
        on_drained(server->on_drained_arg);
    }
    let_go(server);
}

/* ---- turns of the loop ---- */

void server_go_on(struct at_server *server) {
    server->held_count = 0;
    while (server->ready) {
        struct conn *conn = server->ready;
        server->ready = conn->next_ready;
        if (!server->ready) server->ready_end = &server->ready;
        conn->is_ready = false;
        if (conn->is_gone)
            server_conn_gone(conn);
        else
            conn_process(conn);
    }
}

static void on_check(uv_check_t *check) {
    server_go_on(check->data);
}
static void on_prepare(uv_prepare_t *prepare) {
    server_go_on(prepare->data);
}

static void on_tick(uv_timer_t *timer) {
    struct at_server *server = timer->data;
    struct conn *next;
    uint64_t now = uv_now(timer->loop);
    if (server->has_waiting && server->is_listening) on_connection(&server->listener.stream, 0);
    for (struct conn *conn = server->conns; conn; conn = next) {
        next = conn->next;
        conn_tick(conn, now);
    }
}

/* ---- opening ---- */

static int open_socket(const struct sockaddr *address, socklen_t length) {
    int yes = 1, fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    bool is_ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                 setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0 &&
                 bind(fd, address, length) == 0;
    if (is_ok) return fd;
    int code = errno;
    close(fd);
    errno = code;
    return -1;
}

static enum at_status listen_tcp(struct at_server *server, const char *host, int port, struct at_error *err) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage storage;
    } address = {0};
    socklen_t length = sizeof address.v4;
    if (uv_ip4_addr(host, port, &address.v4)) {
        length = sizeof address.v6;
        if (uv_ip6_addr(host, port, &address.v6))
            return at_fail(err, AT_INVALID, "bad_address",
                           "\"%s\" is not an address to listen on: write 127.0.0.1, 0.0.0.0 or ::1", host);
    }
    int fd = open_socket(&address.any, length);
    if (fd < 0) return at_fail(err, AT_IO, NULL, "cannot listen on %s:%d: %s", host, port, strerror(errno));
    int code = uv_tcp_open(&server->listener.tcp, fd);
    if (code)
        close(fd);
    else
        code = uv_listen(&server->listener.stream, BACKLOG, on_connection);
    if (code) return at_fail(err, AT_IO, NULL, "cannot listen on %s:%d: %s", host, port, uv_strerror(code));
    socklen_t size = sizeof address.storage;
    getsockname(fd, &address.any, &size);
    server->port = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
    return AT_OK;
}

static enum at_status listen_pipe(struct at_server *server, const char *path, struct at_error *err) {
    unlink(path); /* the folder's lock says that nobody else owns it */
    int code = uv_pipe_bind(&server->listener.pipe, path);
    if (!code && chmod(path, 0600) != 0)
        code = uv_translate_sys_error(errno); /* nobody comes in before it listens */
    if (!code) code = uv_listen(&server->listener.stream, 64, on_connection);
    return code ? at_fail(err, AT_IO, NULL, "cannot listen on %s: %s", path, uv_strerror(code)) : AT_OK;
}

enum at_status at_server_open(struct at_server **out, struct at_loop *loop, const char *host, int port,
                              const struct at_server_limits *limits, const struct at_server_handler *handler,
                              struct at_account *account, struct at_error *err) {
    struct at_server *server = calloc(1, sizeof *server);
    if (!server) return at_fail(err, AT_NOMEM, NULL, "no memory to listen");
    server->loop = loop;
    server->limits = limits ? *limits : at_server_limits_default;
    server->handler = *handler;
    server->account = account;
    server->is_pipe = strncmp(host, "unix:", 5) == 0;
    server->ready_end = &server->ready;
    request_settings(&server->settings);
    uv_loop_t *uv = at_loop_uv(loop);
    uv_check_init(uv, &server->check);
    uv_prepare_init(uv, &server->prepare);
    uv_timer_init(uv, &server->timer);
    if (server->is_pipe)
        uv_pipe_init(uv, &server->listener.pipe, 0);
    else
        uv_tcp_init(uv, &server->listener.tcp);
    server->check.data = server->prepare.data = server->timer.data = server->listener.handle.data = server;
    server->open_handles = 4;
    server->is_listening = server->has_turns = true;
    enum at_status status =
        server->is_pipe ? listen_pipe(server, host + 5, err) : listen_tcp(server, host, port, err);
    if (status != AT_OK) {
        at_server_close(server, NULL, NULL);
        return status;
    }
    uv_check_start(&server->check, on_check);
    uv_prepare_start(&server->prepare, on_prepare);
    uv_timer_start(&server->timer, on_tick, TICK_MS, TICK_MS);
    *out = server;
    return AT_OK;
}

int at_server_port(const struct at_server *server) {
    return server->port;
}
struct at_server_counts at_server_counts(const struct at_server *server) {
    return server->counts;
}

/* ---- closing ---- */

static void on_handle_closed(uv_handle_t *handle) {
    struct at_server *server = handle->data;
    server->open_handles--;
    let_go(server);
}

static void let_go(struct at_server *server) {
    if (!server->is_closing || server->conns) return;
    if (server->has_turns) { /* not sooner: what is still answered goes on in them */
        server->has_turns = false;
        uv_close((uv_handle_t *)&server->check, on_handle_closed);
        uv_close((uv_handle_t *)&server->prepare, on_handle_closed);
    }
    if (server->open_handles) return;
    request_zip_free(server);
    kits_free(server);
    while (server->spare) {
        struct conn *next = server->spare->next;
        conn_free(server->spare);
        server->spare = next;
    }
    void (*on_closed)(void *) = server->on_closed;
    void *arg = server->on_closed_arg;
    free(server);
    if (on_closed) on_closed(arg);
}

static void stop_listening(struct at_server *server) {
    if (!server->is_listening) return;
    server->is_listening = false;
    uv_close(&server->listener.handle, on_handle_closed);
}

void at_server_drain(struct at_server *server, void (*on_drained)(void *arg), void *arg) {
    server->is_draining = true;
    server->on_drained = on_drained;
    server->on_drained_arg = arg;
    stop_listening(server);
    struct conn *next;
    for (struct conn *conn = server->conns; conn; conn = next) {
        next = conn->next;
        bool is_idle = conn->state == CONN_IDLE || conn->state == CONN_HEAD;
        if (conn->state == CONN_STREAM || (is_idle && !conn->is_writing && !conn->out.length))
            conn_close(conn);
    }
    if (server->conns || !on_drained) return;
    server->on_drained = NULL;
    on_drained(arg);
}

void at_server_close(struct at_server *server, void (*on_closed)(void *arg), void *arg) {
    server->is_closing = true;
    server->on_closed = on_closed;
    server->on_closed_arg = arg;
    server->on_drained = NULL;
    stop_listening(server);
    uv_close((uv_handle_t *)&server->timer, on_handle_closed);
    struct conn *next;
    for (struct conn *conn = server->conns; conn; conn = next) {
        next = conn->next;
        conn_close(conn);
    }
    let_go(server);
}
