/* SPDX-License-Identifier: Apache-2.0
 *
 * A shop inside a C program, on the program's own libuv loop: one product in, one event, one list out, close.
 *
 *     cc embed.c $(pkg-config --cflags --libs attune libuv) -o embed && ./embed my-shop my-data
 */
#include <attune.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

struct program {
    struct attune *shop;
    int step, failed;
};

static void next(struct program *program);

static void on_answer(void *arg, const struct attune_answer *answer) {
    struct program *program = arg;
    printf("%d %s\n", answer->status, answer->body);
    if (answer->status != 200) program->failed = 1;
    next(program);
}

static void on_closed(void *arg) {
    (void)arg;
    printf("closed\n");
}

static void call(struct program *program, const char *method, const char *path, const char *body) {
    struct attune_error err;
    struct attune_request request = {
        .method = method, .path = path, .body = body, .length = body ? strlen(body) : 0};
    if (attune_call(program->shop, &request, on_answer, program, &err) == 0) return;
    fprintf(stderr, "%s\n", err.message);
    program->failed = 1;
}

static void next(struct program *program) {
    static const char products[] = "{\"id\":\"A\",\"price\":20,\"stock\":3,\"brand\":\"Acme\"}\n"
                                   "{\"id\":\"B\",\"price\":10,\"stock\":3,\"brand\":\"Birch\"}\n"
                                   "{\"id\":\"C\",\"price\":5,\"stock\":0,\"brand\":\"Birch\"}\n";
    static const char event[] =
        "{\"anonymousId\":\"v-1\",\"event\":\"Product Viewed\",\"properties\":{\"product_id\":\"B\"}}";
    static const char ask[] = "{\"customer\":{\"anonymous_id\":\"v-1\"},\"ask\":{\"list\":{\"ranking\":"
                              "\"collection\",\"where\":{}}}}";
    struct attune_error err;
    switch (program->step++) {
    case 0: call(program, "PUT", "/v1/catalog/items", products); break;
    case 1:
        if (attune_track(program->shop, "track", event, strlen(event), on_answer, program, &err))
            program->failed = 1;
        break;
    case 2:
        if (attune_decide(program->shop, ask, strlen(ask), on_answer, program, &err)) program->failed = 1;
        break;
    case 3: call(program, "GET", "/ready", NULL); break;
    default: attune_close(program->shop, on_closed, program);
    }
}

int main(int argc, char **argv) {
    struct program program = {0};
    struct attune_error err;
    struct attune_options options = {.shop = argc > 1 ? argv[1] : "my-shop",
                                     .data = argc > 2 ? argv[2] : NULL,
                                     .loop = uv_default_loop(),
                                     .watchdog_signal = -1};
    if (attune_open(&program.shop, &options, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    next(&program);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    uv_loop_close(uv_default_loop());
    return program.failed;
}
