/* SPDX-License-Identifier: Apache-2.0
 *
 * How verbs reach the shop: the process that owns the data folder listens on a socket in it, which only its
 * user can open; if nobody does, the shop is opened here, without a listener.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "attune.h"
#include "base/json.h"
#include "cli/cli.h"
#include "loop/loop.h"
#include "net/client.h"

struct cli_shop {
    const struct cli_call *call;
    char socket_path[4200];
    bool is_remote;
    struct at_loop *loop; /* of a shop opened here */
    struct attune *shop;
};

static struct cli_shop *find_shop(const struct cli_call *call, const char *folder) {
    char data[4096];
    struct cli_shop *shop = calloc(1, sizeof *shop);
    if (!shop) return cli_fail(call, 0, "out of memory"), NULL;
    shop->call = call;
    cli_data(call, folder, data, sizeof data);
    snprintf(shop->socket_path, sizeof shop->socket_path, "%s/attune.sock", data);
    shop->is_remote = at_client_is_there(shop->socket_path);
    return shop;
}

struct cli_shop *cli_shop_if_there(const struct cli_call *call, const char *folder) {
    struct cli_shop *shop = find_shop(call, folder);
    if (shop && shop->is_remote) return shop;
    free(shop);
    return NULL;
}

struct cli_shop *cli_shop_open(const struct cli_call *call, const char *folder) {
    char data[4096];
    struct stat info;
    struct at_error err = {0};
    struct attune_error said = {0};
    struct cli_shop *shop = find_shop(call, folder);
    if (!shop || shop->is_remote) return shop;
    cli_data(call, folder, data, sizeof data);
    if (stat(folder, &info)) {
        cli_fail(call, 0, "there is no folder %s: say which with --shop DIR", folder);
        free(shop);
        return NULL;
    }
    struct attune_options options = {.shop = folder, .data = data, .watchdog_signal = -1};
    int code = at_loop_new(&shop->loop, NULL, &err) == AT_OK ? 0 : -1;
    if (code)
        snprintf(said.message, sizeof said.message, "%s", err.message);
    else {
        options.loop = at_loop_uv(shop->loop);
        code = attune_open(&shop->shop, &options, &said);
    }
    if (!code) return shop;
    cli_fail(call, 0, "%s", said.message);
    if (shop->loop) at_loop_close(shop->loop, NULL, NULL);
    free(shop);
    return NULL;
}

static void on_closed(void *arg) {
    struct cli_shop *shop = arg;
    shop->shop = NULL;
    at_loop_stop(shop->loop);
}

void cli_shop_close(struct cli_shop *shop) {
    if (shop->shop) {
        attune_close(shop->shop, on_closed, shop);
        while (shop->shop) at_loop_run(shop->loop); /* an answer's stop may have been kept */
    }
    if (shop->loop) at_loop_close(shop->loop, NULL, NULL);
    free(shop);
}

bool cli_shop_is_served(const struct cli_shop *shop) {
    return shop->is_remote;
}

static void on_answer(void *arg, const struct attune_answer *answer) {
    struct cli_flight *flight = arg;
    at_bytes_add(flight->answer, answer->body, answer->length);
    flight->status = answer->status;
    flight->is_over = true;
    at_loop_stop(flight->shop->loop);
}

static void send_here(struct cli_flight *flight, const struct attune_request *request) {
    struct attune_error err = {0};
    if (!attune_call(flight->shop->shop, request, on_answer, flight, &err)) return;
    cli_fail(flight->shop->call, 0, "%s", err.message);
    flight->is_over = true;
}

void cli_shop_send(struct cli_flight *flight, const char *method, const char *path, struct at_text body) {
    struct cli_shop *shop = flight->shop;
    struct at_error err = {0};
    at_bytes_reset(flight->answer);
    flight->status = 0;
    flight->is_over = false;
    if (!shop->is_remote) {
        send_here(flight, &(struct attune_request){method, path, body.data, body.length});
        return;
    }
    flight->is_over = true;
    if (at_client_call(shop->socket_path, method, path, body, &flight->status, flight->answer, &err) == AT_OK)
        return;
    flight->status = 0;
    cli_fail(shop->call, 0, "%s", err.message);
}

int cli_shop_wait(struct cli_flight *flight) {
    while (!flight->is_over) at_loop_run(flight->shop->loop); /* a stop that came before is kept */
    if (flight->status && !at_bytes_reserve(flight->answer, AT_JSON_PADDING))
        return cli_fail(flight->shop->call, 0, "out of memory");
    return flight->status;
}

bool cli_shop_is_over(const struct cli_flight *flight) {
    return flight->is_over;
}

int cli_shop_call(struct cli_shop *shop, const char *method, const char *path, const char *body,
                  size_t length, struct at_bytes *answer) {
    struct cli_flight flight = {.shop = shop, .answer = answer};
    cli_shop_send(&flight, method, path, (struct at_text){body, length});
    return cli_shop_wait(&flight);
}

bool cli_read(const struct cli_call *call, int status, const struct at_bytes *answer,
              struct at_json_parser *parser, struct at_json *out) {
    struct at_error err = {0};
    if (!status) return false;
    if (!parser || at_json_parse(parser, answer->data ? answer->data : "", answer->length,
                                 answer->data != NULL, out, &err) != AT_OK)
        return cli_fail(call, 0, "the answer (%d) cannot be read: %s", status, err.message);
    if (status < 400) return true;
    struct at_text message = at_json_text(at_json_get(at_json_get(*out, "error"), "message"));
    return cli_fail(call, 0, "%.*s", (int)message.length, message.data ? message.data : "");
}
