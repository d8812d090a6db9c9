/* SPDX-License-Identifier: Apache-2.0
 *
 * The library in a host: two shops in one process on one loop, opening and closing a thousand times without a
 * leak, no signal handler but the watchdog's, errors that say what is wrong.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <malloc.h>
#include <uv.h>
#include <cmocka.h>
#include "attune.h"

static char base[64];

static void write_text(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const char *make_shop(const char *name) {
    static char folder[4][200];
    static int n;
    char *out = folder[n++ % 4], path[400];
    snprintf(out, 200, "%s/%s", base, name);
    mkdir(out, 0777);
    snprintf(path, sizeof path, "%s/scripts", out);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/scripts/a.lua", out);
    write_text(path, "ranking \"all\" { score = function(product) return -product.price end }\n");
    return out;
}

struct got {
    int status, count;
    char body[4096];
};
static void on_answer(void *arg, const struct attune_answer *answer) {
    struct got *got = arg;
    got->status = answer->status;
    got->count++;
    snprintf(got->body, sizeof got->body, "%s", answer->body);
}
static void on_closed(void *arg) {
    ++*(int *)arg;
}

static void call(uv_loop_t *loop, struct attune *shop, const char *method, const char *path, const char *body,
                 struct got *got) {
    struct attune_error err = {0};
    struct attune_request request = {method, path, body, body ? strlen(body) : 0};
    got->count = 0;
    assert_int_equal(attune_call(shop, &request, on_answer, got, &err), 0);
    while (!got->count) uv_run(loop, UV_RUN_ONCE);
}

static struct attune *open_shop(uv_loop_t *loop, const char *folder) {
    struct attune *shop = NULL;
    struct attune_error err = {0};
    struct attune_options options = {.shop = folder, .loop = loop, .watchdog_signal = -1};
    if (attune_open(&shop, &options, &err)) fail_msg("%s", err.message);
    return shop;
}

static void close_shop(uv_loop_t *loop, struct attune *shop) {
    int closed = 0;
    attune_close(shop, on_closed, &closed);
    while (!closed) uv_run(loop, UV_RUN_ONCE);
}

static void two_shops_in_one_process(void **state) {
    (void)state;
    uv_loop_t loop;
    struct got got;
    uv_loop_init(&loop);
    struct attune *a = open_shop(&loop, make_shop("a")), *b = open_shop(&loop, make_shop("b"));
    call(&loop, a, "PUT", "/v1/catalog/items", "[{\"id\":\"x\",\"price\":2},{\"id\":\"y\",\"price\":1}]",
         &got);
    assert_int_equal(got.status, 200);
    call(&loop, b, "PUT", "/v1/catalog/items", "{\"id\":\"z\",\"price\":1}", &got);
    call(&loop, a, "POST", "/v1/rank", "{\"ranking\":\"all\",\"where\":{}}", &got);
    assert_int_equal(got.status, 200);
    assert_non_null(
        strstr(got.body, "\"items\":[{\"id\":\"y\",\"score\":-1},{\"id\":\"x\",\"score\":-2}],\"total\":2"));
    call(&loop, b, "POST", "/v1/rank", "{\"ranking\":\"all\",\"where\":{}}", &got);
    assert_non_null(strstr(got.body, "\"total\":1"));
    call(&loop, b, "GET", "/nowhere", NULL, &got);
    assert_int_equal(got.status, 404);
    struct attune *third = NULL;
    struct attune_error err = {0};
    struct attune_options options = {.shop = make_shop("a"), .loop = &loop, .watchdog_signal = 0};
    assert_int_equal(attune_open(&third, &options, &err), -1);
    assert_true(strlen(err.message) > 20);
    close_shop(&loop, a);
    close_shop(&loop, b);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void bad_input_says_what(void **state) {
    (void)state;
    uv_loop_t loop;
    struct attune *shop = NULL;
    struct attune_error err = {0};
    struct got got;
    uv_loop_init(&loop);
    struct attune_options options = {.shop = NULL, .loop = &loop};
    assert_int_equal(attune_open(&shop, &options, &err), -1);
    assert_string_equal(err.code, "bad_options");
    shop = open_shop(&loop, make_shop("bad"));
    assert_int_equal(
        attune_call(shop, &(struct attune_request){"FETCH", "/ready", NULL, 0}, on_answer, &got, &err), -1);
    got.count = 0;
    assert_int_equal(attune_decide(shop, "{", 1, on_answer, &got, &err), 0);
    while (!got.count) uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(got.status, 400);
    close_shop(&loop, shop);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void no_handler_but_the_watchdogs(void **state) {
    (void)state;
    uv_loop_t loop;
    struct sigaction before[65], after;
    uv_loop_init(&loop);
    for (int i = 1; i < 65; i++) sigaction(i, NULL, &before[i]);
    struct attune *shop = open_shop(&loop, make_shop("signals"));
    for (int i = 1; i < 65; i++) {
        if (sigaction(i, NULL, &after) || i == SIGRTMIN + 4) continue;
        assert_ptr_equal(after.sa_handler, before[i].sa_handler);
    }
    close_shop(&loop, shop);
    sigaction(SIGRTMIN + 4, NULL, &after);
    assert_ptr_equal(after.sa_handler, before[SIGRTMIN + 4].sa_handler);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static size_t in_use(void) {
    return mallinfo2().uordblks;
}

/* The host holds the data folder, so it may say where; closing meanwhile answers it once. */
static void a_host_backs_up_and_may_close_meanwhile(void **state) {
    (void)state;
    int stopped = 0;
    for (int round = 0; round < 20; round++) {
        uv_loop_t loop;
        struct got got;
        struct attune_error err = {0};
        char body[200];
        uv_loop_init(&loop);
        struct attune *shop = open_shop(&loop, make_shop("backup"));
        snprintf(body, sizeof body, "{\"file\":\"%s/copy.db\",\"force\":true}", base);
        struct attune_request request = {"POST", "/v1/backup", body, strlen(body)};
        if (round == 0) {
            call(&loop, shop, request.method, request.path, body, &got);
            assert_int_equal(got.status, 200);
            assert_non_null(strstr(got.body, "\"state\":\"done\""));
        }
        got.count = 0;
        assert_int_equal(attune_call(shop, &request, on_answer, &got, &err), 0);
        usleep((useconds_t)(round * 500));
        close_shop(&loop, shop);
        assert_int_equal(got.count, 1);
        assert_true(got.status == 200 || (got.status == 503 && strstr(got.body, "\"stopped\"")));
        stopped += got.status == 503;
        snprintf(body, sizeof body, "%s/copy.db.part", base);
        assert_int_equal(access(body, F_OK), -1);
        assert_int_equal(uv_loop_close(&loop), 0);
    }
    printf("closed during a backup: %d of 20 given up\n", stopped);
}

static void open_and_close_without_a_leak(void **state) {
    (void)state;
    uv_loop_t loop;
    const char *folder = make_shop("again");
    int rounds = getenv("ATTUNE_ROUNDS") ? atoi(getenv("ATTUNE_ROUNDS")) : 1000;
    size_t at_start = 0;
    uv_loop_init(&loop);
    for (int i = 0; i < rounds; i++) {
        struct attune *shop = open_shop(&loop, folder);
        close_shop(&loop, shop);
        if (i == rounds / 10) at_start = in_use();
    }
    size_t at_end = in_use();
    printf("property: %d rounds, %zu bytes in use after a tenth, %zu at the end\n", rounds, at_start, at_end);
    if (!getenv("ASAN_OPTIONS")) assert_true(at_end < at_start + 65536);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void) {
    snprintf(base, sizeof base, "/tmp/attune-embed-XXXXXX");
    if (!mkdtemp(base)) return 1;
#if defined(AT_DEBUG) || defined(AT_TSAN)
    setenv("ATTUNE_ROUNDS", "50", 0); /* the sanitizers see a leak in few rounds */
    setenv("ASAN_OPTIONS", "", 0);
#endif
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_shops_in_one_process),
                                       cmocka_unit_test(bad_input_says_what),
                                       cmocka_unit_test(no_handler_but_the_watchdogs),
                                       cmocka_unit_test(a_host_backs_up_and_may_close_meanwhile),
                                       cmocka_unit_test(open_and_close_without_a_leak)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", base);
    return system(command) ? 1 : failed;
}
