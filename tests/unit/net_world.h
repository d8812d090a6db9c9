/* SPDX-License-Identifier: Apache-2.0
 *
 * A server on a thread of its own with a handler whose behaviour the path says, and the blocking client the
 * tests speak to it with. What the handler saw is kept under a mutex.
 *
 *   /ok            "ok"                    /echo    method, path, query, two headers and the body
 *   /big?n=N       N bytes                 /timer   answered by a timer 10 ms later
 *   /hold          kept until release()    /stream  an event stream that world_send() feeds
 *   /last          "ok", and the server drains
 */
#ifndef AT_TESTS_NET_WORLD_H
#define AT_TESTS_NET_WORLD_H

#include "base_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <unistd.h>
#include "loop/loop.h"
#include "net/server.h"

#define HELD_MAX 64

struct world {
    struct at_loop *loop;
    struct at_server *server;
    struct at_server_limits limits;
    struct at_account account;
    pthread_t thread;
    int port;
    struct at_exchange *held[HELD_MAX];
    struct at_stream *stream;
    _Atomic int held_count, asked_count, refused_count, stream_closed, drained, closed, sent_count;
    struct at_timer *timer;
    struct at_exchange *timed;
    struct at_task task;
    void (*job)(struct world *world);
    sem_t done;
};

static inline void answer_text(struct at_exchange *exchange, int status, struct at_text body) {
    struct at_answer answer = {status, "text/plain", NULL, body, false};
    exchange->answer(exchange, &answer);
}

static inline void answer_echo(struct at_exchange *exchange) {
    const struct at_request *request = exchange->request;
    struct at_text mark = at_request_header(request, "x-mark"), late = at_request_header(request, "x-late");
    struct at_bytes text;
    at_bytes_init(&text, 4u << 20);
    at_bytes_printf(&text, "%d %.*s?%.*s mark=%.*s late=%.*s body=", request->method,
                    (int)request->path.length, request->path.data, (int)request->query.length,
                    request->query.data, (int)mark.length, mark.data ? mark.data : "", (int)late.length,
                    late.data ? late.data : "");
    at_bytes_add(&text, request->body.data, request->body.length);
    char padding[64]; /* what a JSON parser may read behind the body */
    if (request->is_padded) memcpy(padding, request->body.data + request->body.length, sizeof padding);
    answer_text(exchange, text.failed ? 500 : 200, (struct at_text){text.data, text.length});
    at_bytes_clear(&text);
}

static inline void on_world_timer(void *arg) {
    struct world *world = arg;
    answer_text(world->timed, 200, AT_TEXT("timed"));
}

static inline void on_stream_closed(void *arg) {
    struct world *world = arg;
    world->stream = NULL;
    world->stream_closed++;
}

static inline void on_world_request(void *arg, struct at_exchange *exchange) {
    struct world *world = arg;
    struct at_request *request = exchange->request;
    world->asked_count++;
    if (at_text_is(request->path, "/hold") && world->held_count < HELD_MAX) {
        world->held[world->held_count++] = exchange;
    } else if (at_text_is(request->path, "/timer")) {
        world->timed = exchange;
        at_timer_start(world->timer, 10, 0);
    } else if (at_text_is(request->path, "/big")) {
        struct at_text n = at_request_param(request, "n");
        size_t size = n.data ? strtoul(n.data, NULL, 10) : 0;
        char *text = malloc(size + 1);
        if (text) memset(text, 'x', size);
        answer_text(exchange, text ? 200 : 503, (struct at_text){text ? text : "", text ? size : 0});
        free(text);
    } else if (at_text_is(request->path, "/stream")) {
        world->stream = exchange->stream(exchange, on_stream_closed, world);
    } else if (at_text_is(request->path, "/echo"))
        answer_echo(exchange);
    else
        answer_text(exchange, 200, AT_TEXT("ok"));
    if (at_text_is(request->path, "/last")) at_server_drain(world->server, NULL, NULL);
}

static inline uint32_t world_body_limit(void *arg, const struct at_request *head) {
    (void)arg;
    return at_text_is(head->path, "/large") ? 4u << 20 : 0;
}

static inline void on_world_refusal(void *arg, int status, const char *code) {
    struct world *world = arg;
    (void)status;
    (void)code;
    world->refused_count++;
}

static inline void *run_world(void *arg) {
    at_loop_run(((struct world *)arg)->loop);
    return NULL;
}

static inline void run_job(struct at_task *task) {
    struct world *world = (struct world *)((char *)task - offsetof(struct world, task));
    world->job(world);
    sem_post(&world->done);
}

/* job on the server's thread; returns when it has run. */
static inline void world_do(struct world *world, void (*job)(struct world *world)) {
    world->job = job;
    world->task.run = run_job;
    at_loop_post(world->loop, &world->task);
    while (sem_wait(&world->done)) {}
}

static inline enum at_status world_try_start(struct world *world, const struct at_server_limits *limits,
                                             int port) {
    struct at_server_handler handler = {world, on_world_request, world_body_limit, on_world_refusal};
    memset(world, 0, sizeof *world);
    world->limits = limits ? *limits : at_server_limits_default;
    world->account = (struct at_account){.name = "requests", .limit = 1u << 30};
    assert_int_equal(at_loop_new(&world->loop, NULL, NULL), AT_OK);
    sem_init(&world->done, 0, 0);
    return at_server_open(&world->server, world->loop, "127.0.0.1", port, &world->limits, &handler,
                          &world->account, NULL);
}

static inline void world_run(struct world *world) {
    world->timer = at_timer_new(world->loop, on_world_timer, world);
    world->port = at_server_port(world->server);
    assert_int_equal(pthread_create(&world->thread, NULL, run_world, world), 0);
}

static inline void world_start(struct world *world, const struct at_server_limits *limits) {
    assert_int_equal(world_try_start(world, limits, 0), AT_OK);
    world_run(world);
}

static inline void note_closed(void *arg) {
    ((struct world *)arg)->closed++;
}
static inline void note_drained(void *arg) {
    ((struct world *)arg)->drained++;
}
static inline void close_server(struct world *world) {
    at_server_close(world->server, note_closed, world);
}
static inline void drain_server(struct world *world) {
    at_server_drain(world->server, note_drained, world);
}
static inline void release_held(struct world *world) {
    int count = world->held_count;
    world->held_count = 0;
    for (int i = 0; i < count; i++) answer_echo(world->held[i]);
}
static inline void do_nothing(struct world *world) {
    (void)world;
}

static inline bool wait_until(_Atomic int *what, int wanted, int most_ms) {
    for (int i = 0; i < most_ms && *what < wanted; i++) usleep(1000);
    return *what >= wanted;
}

/* Every server must say that it has closed, and give back all it drew. */
static inline void world_stop(struct world *world) {
    if (!world->closed) world_do(world, close_server);
    assert_true(wait_until(&world->closed, 1, 5000));
    at_loop_stop(world->loop);
    pthread_join(world->thread, NULL);
    at_timer_free(world->timer);
    at_loop_close(world->loop, NULL, NULL);
    assert_int_equal(at_account_used(&world->account), 0);
    sem_destroy(&world->done);
}

/* ---- the client ---- */

static inline int dial_port(int port, int receive_bytes) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_bytes) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline int dial(const struct world *world) {
    int fd = dial_port(world->port, 0);
    assert_true(fd >= 0);
    return fd;
}

/* False: the peer has closed. */
static inline bool say(int fd, const void *data, size_t length) {
    const char *at = data;
    while (length) {
        ssize_t n = send(fd, at, length, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        length -= (size_t)n;
    }
    return true;
}
static inline bool say_text(int fd, const char *text) {
    return say(fd, text, strlen(text));
}

struct heard {
    struct at_bytes text;
    bool is_closed;
};

/* Read until the peer closes, `wanted` bytes are there (0: no matter), or nothing came for quiet_ms. */
static inline struct heard hear(int fd, size_t wanted, int quiet_ms) {
    struct heard heard = {.is_closed = false};
    char buffer[65536];
    at_bytes_init(&heard.text, SIZE_MAX);
    while (!wanted || heard.text.length < wanted) {
        struct pollfd poll_fd = {fd, POLLIN, 0};
        if (poll(&poll_fd, 1, quiet_ms) <= 0) break;
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0) {
            heard.is_closed = true;
            break;
        }
        at_bytes_add(&heard.text, buffer, (size_t)n);
    }
    at_bytes_add(&heard.text, "", 0);
    return heard;
}

static inline int count_of(const struct at_bytes *text, const char *what) {
    int count = 0;
    size_t length = strlen(what);
    for (const char *at = text->data, *end = at + text->length;
         at < end && (at = memmem(at, (size_t)(end - at), what, length)); at += length)
        count++;
    return count;
}

/* Say it on a connection of its own and hear everything; the answer is in *heard, to be cleared. */
static inline struct heard ask_raw(const struct world *world, const void *data, size_t length, int quiet_ms) {
    int fd = dial(world);
    say(fd, data, length);
    struct heard heard = hear(fd, 0, quiet_ms);
    close(fd);
    return heard;
}

/* One text asked: the first status (0: none), and how many answers came, and whether it was closed. */
struct outcome {
    int status, answers;
    bool is_closed;
};
static inline struct outcome outcome_of(const struct world *world, const void *data, size_t length,
                                        int quiet_ms) {
    struct heard heard = ask_raw(world, data, length, quiet_ms);
    struct outcome outcome = {0, count_of(&heard.text, "HTTP/1.1 "), heard.is_closed};
    if (heard.text.length > 12) outcome.status = atoi(heard.text.data + 9);
    at_bytes_clear(&heard.text);
    return outcome;
}
static inline struct outcome outcome_of_text(const struct world *world, const char *text, int quiet_ms) {
    return outcome_of(world, text, strlen(text), quiet_ms);
}

static inline void assert_alive(const struct world *world) {
    int fd = dial(world);
    say_text(fd, "GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    struct heard heard = hear(fd, 0, 5000);
    assert_non_null(strstr(heard.text.data, "HTTP/1.1 200 OK"));
    assert_true(heard.is_closed);
    at_bytes_clear(&heard.text);
    close(fd);
}

#endif
