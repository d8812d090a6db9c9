/* SPDX-License-Identifier: Apache-2.0
 *
 * The ceiling of net/: a bare server that answers "ok", one loop on one core, nothing behind it. What a route
 * costs is its figure against this one's. Built against libattune.a like a unit test:
 *
 *   taskset -c 0 net_ceiling 18099 & taskset -c 1 wrk -t1 -c64 -d8s http://127.0.0.1:18099/ok
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "net/server.h"

static struct at_loop *loop;
static struct at_server *server;

static void on_request(void *arg, struct at_exchange *exchange) {
    static const struct at_answer answer = {200, "text/plain", NULL, {"ok", 2}, false};
    (void)arg;
    exchange->answer(exchange, &answer);
}

static void on_closed(void *arg) {
    (void)arg;
    at_loop_stop(loop);
}

static void on_signal(void *arg, int number) {
    (void)arg;
    (void)number;
    printf("%llu requests on %llu connections\n", (unsigned long long)at_server_counts(server).requests_total,
           (unsigned long long)at_server_counts(server).connections_total);
    at_server_close(server, on_closed, NULL);
}

int main(int count, char **words) {
    struct at_server_handler handler = {NULL, on_request, NULL, NULL};
    struct at_signal *interrupt = NULL, *end = NULL;
    struct at_error err = {0};
    int port = count > 1 ? atoi(words[1]) : 18099;
    if (at_loop_new(&loop, NULL, &err) != AT_OK ||
        at_server_open(&server, loop, "127.0.0.1", port, NULL, &handler, NULL, &err) != AT_OK ||
        at_signal_new(&interrupt, loop, SIGINT, on_signal, NULL, &err) != AT_OK ||
        at_signal_new(&end, loop, SIGTERM, on_signal, NULL, &err) != AT_OK) {
        fprintf(stderr, "net_ceiling: %s\n", err.message);
        return 1;
    }
    printf("listening on http://127.0.0.1:%d\n", at_server_port(server));
    fflush(stdout);
    at_loop_run(loop);
    at_signal_free(interrupt);
    at_signal_free(end);
    at_loop_close(loop, NULL, NULL);
    return 0;
}
