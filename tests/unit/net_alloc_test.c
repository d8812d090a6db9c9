/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that runs out while the server works: the n-th allocation on its thread and all behind it fail, for
 * every n until none does. It answers or closes, and serves again when there is memory.
 */
#include "net_world.h"

static _Thread_local bool fails_here;
static _Atomic long allocations_left = -1;
static _Atomic int failed_count;

static bool may_allocate(void) {
    if (!fails_here || allocations_left < 0) return true;
    if (allocations_left > 0) {
        allocations_left--;
        return true;
    }
    failed_count++;
    return false;
}

#define WRAP(name, params, args)                                                                             \
    void *__real_##name params;                                                                              \
    void *__wrap_##name params;                                                                              \
    void *__wrap_##name params {                                                                             \
        return may_allocate() ? __real_##name args : NULL;                                                   \
    }
WRAP(malloc, (size_t size), (size))
WRAP(calloc, (size_t count, size_t size), (count, size))
WRAP(realloc, (void *old, size_t size), (old, size))

static void fail_here(struct world *world) {
    (void)world;
    fails_here = true;
}

/* "abc" as gzip, by hand: a stored block needs no compressor. */
static void add_gzip(struct at_bytes *out, const char *path) {
    static const unsigned char head[] = {31,  139, 8,   0,   0,   0,    0,    0,    0,    3, 1, 3, 0,
                                         252, 255, 'a', 'b', 'c', 0xC2, 0x41, 0x24, 0x35, 3, 0, 0, 0};
    at_bytes_printf(out, "POST %s HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", path,
                    sizeof head);
    at_bytes_add(out, head, sizeof head);
}

static void the_sweep(void **state) {
    struct at_bytes asked;
    (void)state;
    at_bytes_init(&asked, SIZE_MAX);
    at_bytes_add_text(&asked, "GET /echo?limit=1 HTTP/1.1\r\nX-Mark: m\r\n\r\nPOST /echo "
                              "HTTP/1.1\r\nContent-Length: 60000\r\n\r\n");
    for (int i = 0; i < 6000; i++) at_bytes_add_text(&asked, "0123456789");
    add_gzip(&asked, "/echo");
    at_bytes_add_text(&asked, "GET /big?n=300000 HTTP/1.1\r\n\r\nGET /stream HTTP/1.1\r\n\r\n");
    int n = 0, failed = 1;
    for (; failed && n < 200; n++) {
        struct world world;
        world_start(&world, NULL);
        world_do(&world, fail_here);
        failed_count = 0;
        allocations_left = n;
        int fd = dial(&world);
        say(fd, asked.data, asked.length);
        shutdown(fd, SHUT_WR);
        struct heard heard = hear(fd, 0, 800);
        allocations_left = -1;
        failed = failed_count;
        if (!heard.is_closed) { /* there was none for the connection itself: it waits until there is */
            assert_int_equal(heard.text.length, 0);
            at_bytes_clear(&heard.text);
            heard = hear(fd, 0, 3000);
            assert_int_equal(count_of(&heard.text, "HTTP/1.1 200 "), 5);
        }
        assert_true(heard.is_closed);
        int answers = count_of(&heard.text, "HTTP/1.1 "), good = count_of(&heard.text, "HTTP/1.1 200 ");
        assert_true(answers - good <= 3);
        if (!failed) assert_int_equal(good, 5);
        close(fd);
        assert_alive(&world);
        at_bytes_clear(&heard.text);
        world_stop(&world);
    }
    printf("property: %d places where memory runs out\n", n - 1);
    assert_int_equal(failed, 0);
    assert_true(n > 5);
    at_bytes_clear(&asked);
}

/* Warm, the n-th request needs no malloc: there is none, and nobody notices. */
static void a_warm_server_does_not_allocate(void **state) {
    struct world world;
    struct at_bytes asked;
    (void)state;
    world_start(&world, NULL);
    at_bytes_init(&asked, SIZE_MAX);
    at_bytes_add_text(
        &asked, "GET /ok?a=b HTTP/1.1\r\nHost: x\r\nX-Mark: m\r\n\r\nPOST /ok HTTP/1.1\r\nTransfer-Encoding: "
                "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    add_gzip(&asked, "/ok");
    size_t answer = strlen("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");
    int fd = dial(&world);
    for (int i = 0; i < 400; i++) {
        if (i == 20) {
            failed_count = 0;
            world_do(&world, fail_here);
            allocations_left = 0;
        }
        assert_true(say(fd, asked.data, asked.length));
        struct heard heard = hear(fd, 3 * answer, 2000);
        assert_int_equal(count_of(&heard.text, "HTTP/1.1 200 OK"), 3);
        at_bytes_clear(&heard.text);
    }
    allocations_left = -1;
    assert_int_equal(failed_count, 0);
    close(fd);
    at_bytes_clear(&asked);
    world_stop(&world);
}

static void opening_without_memory_is_an_error(void **state) {
    struct at_server_handler handler = {NULL, on_world_request, NULL, NULL};
    struct at_error err = {0};
    struct at_server *server;
    struct at_loop *loop;
    (void)state;
    assert_int_equal(at_loop_new(&loop, NULL, NULL), AT_OK);
    fails_here = true;
    allocations_left = 0;
    enum at_status status = at_server_open(&server, loop, "127.0.0.1", 0, NULL, &handler, NULL, &err);
    allocations_left = -1;
    fails_here = false;
    assert_int_equal(status, AT_NOMEM);
    assert_true(err.message[0]);
    at_loop_close(loop, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sweep),
        cmocka_unit_test(a_warm_server_does_not_allocate),
        cmocka_unit_test(opening_without_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
