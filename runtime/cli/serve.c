/* SPDX-License-Identifier: Apache-2.0
 *
 * attune serve: opens the shop with a listener on every worker, says where it listens, and ends on SIGTERM or
 * SIGINT: what is in flight is answered, what is queued is committed. A second signal ends at once.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "api/api.h"
#include "cli/cli.h"
#include "script/script.h"
#include "shop/shop.h"

struct serving {
    struct at_loop *loop;
    struct at_signal *signals[2];
};

static void on_signal(void *arg, int signum) {
    struct serving *serving = arg;
    (void)signum;
    at_loop_stop(serving->loop);
}

static bool is_loopback(const char *host) {
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 || strncmp(host, "127.", 4) == 0;
}

static int read_listen(const struct cli_call *call, char *host, size_t size, int *port) {
    const char *listen = cli_value(call, "listen");
    if (!listen) listen = "127.0.0.1:8080";
    const char *colon = strrchr(listen, ':');
    char *rest;
    size_t length = colon ? (size_t)(colon - listen) : 0;
    if (length > 2 && listen[0] == '[' && listen[length - 1] == ']') listen++, length -= 2;
    long number = colon ? strtol(colon + 1, &rest, 10) : -1;
    if (!colon || !length || length >= size || *rest || !colon[1] || number < 0 || number > 65535)
        return cli_fail(call, EXIT_USAGE, "--listen is HOST:PORT, such as 127.0.0.1:8080, not \"%s\"",
                        cli_value(call, "listen"));
    memcpy(host, listen, length);
    host[length] = 0;
    if (strcmp(host, "localhost") == 0) snprintf(host, size, "127.0.0.1");
    *port = (int)number;
    return EXIT_DONE;
}

static int read_number(const struct cli_call *call, const char *option, long least, long most, long usual,
                       long *out) {
    const char *text = cli_value(call, option);
    char *rest;
    *out = usual;
    if (!text) return EXIT_DONE;
    *out = strtol(text, &rest, 10);
    if (!*text || *rest || *out < least || *out > most)
        return cli_fail(call, EXIT_USAGE, "--%s is a number from %ld to %ld, not \"%s\"", option, least, most,
                        text);
    return EXIT_DONE;
}

static int read_options(const struct cli_call *call, struct at_shop_options *options, struct at_log *log) {
    long workers, watchdog;
    struct at_error err = {0};
    const char *memory = cli_value(call, "memory"), *style = cli_value(call, "log"),
               *now = cli_value(call, "now");
    int code = read_number(call, "workers", 1, 256, 0, &workers);
    if (!code) code = read_number(call, "watchdog-signal", 0, 64, -1, &watchdog);
    if (code) return code;
    if (memory && (at_size_parse(memory, &options->memory_bytes) || options->memory_bytes < (64u << 20)))
        return cli_fail(call, EXIT_USAGE,
                        "--memory is a size of at least 64M, such as 512M or 2G, not \"%s\"", memory);
    if (style && strcmp(style, "text") != 0 && strcmp(style, "json") != 0)
        return cli_fail(call, EXIT_USAGE, "--log is text or json, not \"%s\"", style);
    if (now && at_time_parse(now, strlen(now), &options->now_ms, &err) != AT_OK)
        return cli_fail(call, EXIT_USAGE, "--now: %s", err.message);
    *log = (struct at_log){.fd = STDERR_FILENO, .is_json = style && strcmp(style, "json") == 0};
    options->worker_count = (uint32_t)workers;
    options->watchdog_signal = (int)watchdog;
    const char *stale = getenv("ATTUNE_TEST_STALE"); /* tests: commits answer stale, so many of a thousand */
    if (stale) options->stale_per_mille = (uint32_t)strtoul(stale, NULL, 10);
    options->log = log;
    return EXIT_DONE;
}

static int wait_for_signal(const struct cli_call *call) {
    struct serving serving = {0};
    struct at_error err = {0};
    enum at_status status = at_loop_new(&serving.loop, NULL, &err);
    if (status == AT_OK)
        status = at_signal_new(&serving.signals[0], serving.loop, SIGTERM, on_signal, &serving, &err);
    if (status == AT_OK)
        status = at_signal_new(&serving.signals[1], serving.loop, SIGINT, on_signal, &serving, &err);
    if (status == AT_OK) at_loop_run(serving.loop);
    for (int i = 0; i < 2; i++)
        if (serving.signals[i]) at_signal_free(serving.signals[i]);
    if (serving.loop) at_loop_close(serving.loop, NULL, NULL);
    signal(SIGTERM, SIG_DFL); /* from now on one more ends at once */
    signal(SIGINT, SIG_DFL);
    return status == AT_OK ? EXIT_DONE : cli_fail(call, EXIT_FAILED, "%s", err.message);
}

int run_serve(const struct cli_call *call) {
    char host[256], data[4096], socket_path[4200];
    struct at_log log;
    struct at_error err = {0};
    struct at_shop *shop = NULL;
    struct at_shop_options options = {.folder = call->words[0],
                                      .data = cli_data(call, call->words[0], data, sizeof data)};
    struct at_api_options api_options = {.host = host, .unix_path = socket_path};
    int code = read_listen(call, host, sizeof host, &api_options.port);
    if (!code) code = read_options(call, &options, &log);
    if (code) return code;
    if (access(call->words[0], R_OK | X_OK))
        return cli_fail(call, EXIT_FAILED, "there is no folder %s; attune new %s makes one", call->words[0],
                        call->words[0]);
    snprintf(socket_path, sizeof socket_path, "%s/attune.sock", data);
    signal(SIGPIPE, SIG_IGN);
    /* Large requests need some hundred KiB for a moment: given back to the system and taken again each time
     * they cost a fifth of a rank over 1,000 items in page faults. */
    mallopt(M_MMAP_THRESHOLD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
    struct at_api *api = at_api_new(&api_options, &err);
    if (!api) return cli_fail(call, EXIT_FAILED, "%s", err.message);
    options.on_worker_start = at_api_worker_start;
    options.on_worker_stop = at_api_worker_stop;
    options.worker_arg = api;
    if (at_shop_open(&shop, &options, &err) != AT_OK) {
        at_api_free(api);
        return cli_fail(call, EXIT_FAILED, "%s", err.message);
    }
    if (!at_shop_has_keys(shop) && !is_loopback(host)) {
        at_shop_close(shop, NULL, NULL);
        at_api_free(api);
        return cli_fail(call, EXIT_FAILED,
                        "without keys in shop.lua only this machine may be served: write keys { … }, or "
                        "--listen 127.0.0.1:%d",
                        api_options.port);
    }
    if (!at_shop_has_keys(shop))
        at_log(&log, AT_LOG_WARN, "serve", "no keys in shop.lua: local callers hold the secret key");
    bool has_colon = strchr(host, ':') != NULL;
    at_log(&log, AT_LOG_INFO, "serve", "listening on http://%s%s%s:%d (%u workers)", has_colon ? "[" : "",
           host, has_colon ? "]" : "", at_api_port(api), at_shop_worker_count(shop));
    at_log(&log, AT_LOG_INFO, "serve", "scripts run on %s", at_script_release());
    code = wait_for_signal(call);
    at_log(&log, AT_LOG_INFO, "serve", "ending: answering what is in flight, writing what is queued");
    at_shop_close(shop, NULL, NULL);
    at_api_free(api);
    unlink(socket_path);
    at_log(&log, AT_LOG_INFO, "serve", "ended");
    return code;
}

int run_unit(const struct cli_call *call) {
    char folder[4096], program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (!realpath(call->words[0], folder))
        return cli_fail(call, EXIT_FAILED, "there is no folder %s", call->words[0]);
    snprintf(program + (length > 0 ? length : 0), 32, "%s", length > 0 ? "" : "/usr/local/bin/attune");
    printf("[Unit]\nDescription=attune, personalization for %s\nAfter=network.target\n\n"
           "[Service]\nExecStart=%s serve "
           "%s\nRestart=on-failure\nTimeoutStopSec=60\nUMask=0077\nLimitNOFILE=65536\n"
           "NoNewPrivileges=yes\nPrivateTmp=yes\nProtectSystem=strict\nReadWritePaths=%s\nEnvironmentFile=-%"
           "s/environment\n\n"
           "[Install]\nWantedBy=multi-user.target\n",
           folder, program, folder, folder, folder);
    return EXIT_DONE;
}
