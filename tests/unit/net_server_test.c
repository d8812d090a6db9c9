/* SPDX-License-Identifier: Apache-2.0
 *
 * The server over real sockets: answers, pipelining, requests in pieces, answers that come later. Streams,
 * drain and close are in net_life_test.c, what is refused in net_limits_test.c.
 */
#include "net_world.h"

static struct world world;

static int start(void **state) {
    (void)state;
    world_start(&world, NULL);
    return 0;
}
static int stop(void **state) {
    (void)state;
    world_stop(&world);
    return 0;
}

static void expect_answer(const char *request, const char *wanted) {
    struct heard heard = ask_raw(&world, request, strlen(request), 300);
    if (strcmp(heard.text.data, wanted) != 0)
        fail_msg("asked %s\ngot %s\nwanted %s", request, heard.text.data, wanted);
    at_bytes_clear(&heard.text);
}

static void an_answer_is_exactly_these_bytes(void **state) {
    (void)state;
    expect_answer("GET /ok HTTP/1.1\r\nHost: x\r\n\r\n",
                  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");
    expect_answer(
        "GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    expect_answer("HEAD /ok HTTP/1.1\r\nHost: x\r\n\r\n",
                  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n");
    expect_answer(
        "GET /ok HTTP/1.0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    expect_answer("GET /ok HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                  "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: "
                  "keep-alive\r\n\r\nok");
}

static void expect_echo(const char *request, const char *wanted) {
    struct heard heard = ask_raw(&world, request, strlen(request), 300);
    const char *body = strstr(heard.text.data, "\r\n\r\n");
    if (!body || strcmp(body + 4, wanted) != 0)
        fail_msg("asked %s\ngot %s\nwanted %s", request, heard.text.data, wanted);
    at_bytes_clear(&heard.text);
}

static void a_request_arrives_as_it_was_sent(void **state) {
    (void)state;
    expect_echo("GET /echo?a=1&b=%20 HTTP/1.1\r\nHost: x\r\nX-MARK: \t m n \t\r\n\r\n",
                "0 /echo?a=1&b=%20 mark=m n late= body=");
    expect_echo("GET /echo?a#b HTTP/1.1\r\nX-Mark:\r\nX-Late: l\r\n\r\n", "0 /echo?a mark= late=l body=");
    expect_echo("\r\n\r\nPOST /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
                "2 /echo? mark= late= body=abc");
    expect_echo("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
                "2 /echo? mark= late= body=abc");
    expect_echo("GET http://shop.example:80/echo?q=1 HTTP/1.1\r\nHost: shop.example\r\n\r\n",
                "0 /echo?q=1 mark= late= body=");
    expect_echo("DELETE /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
                "5 /echo? mark= late= body=");
}

static void trailers_are_not_headers(void **state) {
    (void)state;
    expect_echo(
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX-Mark: m\r\n\r\n1\r\na\r\n0\r\nX-Late: t\r\n"
        "Content-Encoding: gzip\r\n\r\n",
        "2 /echo? mark=m late= body=a");
}

static void an_upgrade_is_passed_over_and_nothing_runs_twice(void **state) {
    (void)state;
    int before = world.asked_count;
    struct outcome outcome = outcome_of_text(&world,
                                             "POST /echo HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
                                             "Content-Length: 1\r\n\r\nxGET /echo HTTP/1.1\r\nConnection: "
                                             "Upgrade\r\nUpgrade: websocket\r\n\r\nGET /ok HTTP/1.1\r\n\r\n",
                                             300);
    assert_int_equal(outcome.answers, 3);
    assert_int_equal(world.asked_count - before, 3);
}

static void expect_100_is_answered_before_the_body(void **state) {
    (void)state;
    int fd = dial(&world);
    say_text(fd, "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    struct heard heard = hear(fd, 25, 2000);
    assert_string_equal(heard.text.data, "HTTP/1.1 100 Continue\r\n\r\n");
    at_bytes_clear(&heard.text);
    say_text(fd, "hi");
    heard = hear(fd, 0, 200);
    assert_non_null(strstr(heard.text.data, "body=hi"));
    at_bytes_clear(&heard.text);
    close(fd);
}

/* Many random requests in one connection, cut at random places: the answers are those of one by one. */
static void add_request(struct at_bytes *asked, struct at_bytes *wanted, int i) {
    char mark[40], body[300], chunks[900];
    size_t length = next_random() % sizeof body, at = 0;
    bool has_body = next_random() % 2, is_head = !has_body && next_random() % 5 == 0;
    snprintf(mark, sizeof mark, "m%d-%u", i, (unsigned)(next_random() % 100000));
    if (!has_body) length = 0;
    for (size_t j = 0; j < length; j++) body[j] = (char)('a' + next_random() % 26);
    at_bytes_printf(asked, "%s /echo?i=%d HTTP/1.1\r\nHost: x\r\nX-Mark: %s\r\n",
                    has_body  ? "POST"
                    : is_head ? "HEAD"
                              : "GET",
                    i, mark);
    if (has_body && next_random() % 2) {
        at_bytes_add_text(asked, "Transfer-Encoding: chunked\r\n\r\n");
        while (at < length) {
            size_t piece = 1 + next_random() % (length - at);
            int head = snprintf(chunks, sizeof chunks, "%zx%s\r\n", piece, next_random() % 3 ? "" : ";ext=1");
            at_bytes_add(asked, chunks, (size_t)head);
            at_bytes_add(asked, body + at, piece);
            at_bytes_add_text(asked, "\r\n");
            at += piece;
        }
        at_bytes_add_text(asked, next_random() % 3 ? "0\r\n\r\n" : "0\r\nX-Late: trailer\r\n\r\n");
    } else if (has_body) {
        at_bytes_printf(asked, "Content-Length: %zu\r\n\r\n", length);
        at_bytes_add(asked, body, length);
    } else
        at_bytes_add_text(asked, "\r\n");
    char head[100];
    int head_length = snprintf(head, sizeof head, "%d /echo?i=%d mark=%s late= body=",
                               has_body  ? 2
                               : is_head ? 1
                                         : 0,
                               i, mark);
    at_bytes_printf(wanted, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
                    (size_t)head_length + length);
    if (is_head) return;
    at_bytes_add(wanted, head, (size_t)head_length);
    at_bytes_add(wanted, body, length);
}

static void requests_in_any_pieces_are_the_same_requests(void **state) {
    (void)state;
    enum { ROUNDS = 60, EACH = 20 };
    struct at_bytes asked, wanted;
    seed_random(ROUNDS * EACH);
    at_bytes_init(&asked, SIZE_MAX);
    at_bytes_init(&wanted, SIZE_MAX);
    for (int round = 0; round < ROUNDS; round++) {
        at_bytes_reset(&asked);
        at_bytes_reset(&wanted);
        for (int i = 0; i < EACH; i++) add_request(&asked, &wanted, i);
        int fd = dial(&world), yes = 1;
        setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &yes, sizeof yes);
        uint64_t most = round % 4 == 0 ? 40 : round % 4 == 1 ? 700 : asked.length;
        for (size_t at = 0; at < asked.length;) {
            size_t piece = 1 + next_random() % most;
            if (piece > asked.length - at) piece = asked.length - at;
            assert_true(say(fd, asked.data + at, piece));
            at += piece;
            if (next_random() % 8 == 0) usleep(200);
        }
        struct heard heard = hear(fd, wanted.length, 5000);
        assert_int_equal(heard.text.length, wanted.length);
        assert_memory_equal(heard.text.data, wanted.data, wanted.length);
        at_bytes_clear(&heard.text);
        close(fd);
    }
    at_bytes_clear(&asked);
    at_bytes_clear(&wanted);
}

static void a_full_buffer_of_pipelined_requests_is_answered_in_order(void **state) {
    (void)state;
    struct at_bytes asked;
    at_bytes_init(&asked, SIZE_MAX);
    for (int i = 0; i < 5000; i++) at_bytes_printf(&asked, "GET /echo?%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
    at_bytes_add_text(&asked,
                      "GET /ok HTTP/1.1\r\nConnection: close\r\n\r\nGET /echo?never HTTP/1.1\r\n\r\n");
    struct heard heard = ask_raw(&world, asked.data, asked.length, 3000);
    assert_true(heard.is_closed);
    assert_int_equal(count_of(&heard.text, "HTTP/1.1 200 OK"), 5001);
    char wanted[40];
    const char *at = heard.text.data;
    for (int i = 0; i < 5000; i++) {
        snprintf(wanted, sizeof wanted, "/echo?%d ", i);
        at = strstr(at, wanted);
        assert_non_null(at);
    }
    at_bytes_clear(&heard.text);
    at_bytes_clear(&asked);
}

static void texts_hold_while_the_handler_has_them(void **state) {
    (void)state;
    struct at_bytes more;
    int before = world.asked_count;
    at_bytes_init(&more, SIZE_MAX);
    for (int i = 0; i < 4000; i++) at_bytes_printf(&more, "GET /echo?%d HTTP/1.1\r\nHost: x\r\n\r\n", i);
    int fd = dial(&world);
    say_text(fd, "POST /hold?first=1 HTTP/1.1\r\nX-Mark: kept\r\nContent-Length: 4\r\n\r\nbody");
    assert_true(wait_until(&world.held_count, 1, 2000));
    say(fd, more.data, more.length); /* more than the buffer has room for */
    usleep(50000);
    assert_int_equal(world.asked_count - before, 1); /* one at a time */
    world_do(&world, release_held);
    struct heard heard = hear(fd, 0, 500);
    assert_non_null(strstr(heard.text.data, "2 /hold?first=1 mark=kept late= body=body"));
    assert_int_equal(count_of(&heard.text, "HTTP/1.1 200 OK"), 4001);
    at_bytes_clear(&heard.text);
    at_bytes_clear(&more);
    close(fd);
}

static void who_ends_his_side_still_gets_every_answer(void **state) {
    (void)state;
    const char *asked =
        "GET /hold HTTP/1.1\r\n\r\nGET /echo?2 HTTP/1.1\r\n\r\nGET /echo?3 HTTP/1.1\r\n\r\nGET /half";
    int fd = dial(&world);
    say_text(fd, asked);
    assert_true(wait_until(&world.held_count, 1, 2000));
    shutdown(fd, SHUT_WR);
    usleep(30000);
    world_do(&world, release_held);
    struct heard heard = hear(fd, 0, 3000);
    assert_int_equal(count_of(&heard.text, "HTTP/1.1 200 OK"), 3);
    assert_true(heard.is_closed);
    at_bytes_clear(&heard.text);
    close(fd);
}

static void half_a_request_every_way_harms_nobody(void **state) {
    (void)state;
    const char *whole =
        "POST /echo?q HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n";
    int before = world.asked_count;
    for (size_t n = 0; n < strlen(whole); n++) {
        int fd = dial(&world);
        say(fd, whole, n);
        if (n % 2) shutdown(fd, SHUT_WR);
        if (n % 2) {
            struct heard heard = hear(fd, 0, 3000);
            assert_true(heard.is_closed);
            assert_int_equal(heard.text.length, 0);
            at_bytes_clear(&heard.text);
        }
        close(fd);
    }
    assert_alive(&world);
    assert_int_equal(world.asked_count - before, 1);
}

static void an_answer_from_a_timer_does_not_wait(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) { /* the server's own tick would carry one out now and then */
        int fd = dial(&world);
        usleep(37000);
        say_text(fd, "GET /timer HTTP/1.1\r\n\r\n");
        struct heard heard = hear(fd, 60, 150);
        assert_non_null(strstr(heard.text.data, "timed"));
        at_bytes_clear(&heard.text);
        close(fd);
    }
}

static void an_asker_who_leaves_is_answered_into_nothing(void **state) {
    (void)state;
    struct linger at_once = {1, 0};
    for (int i = 0; i < 20; i++) {
        int fd = dial(&world);
        say_text(fd, "GET /hold HTTP/1.1\r\n\r\n");
        assert_true(wait_until(&world.held_count, i + 1, 2000));
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); /* a reset */
        close(fd);
    }
    usleep(20000);
    world_do(&world, release_held);
    assert_alive(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_exactly_these_bytes),
        cmocka_unit_test(a_request_arrives_as_it_was_sent),
        cmocka_unit_test(trailers_are_not_headers),
        cmocka_unit_test(an_upgrade_is_passed_over_and_nothing_runs_twice),
        cmocka_unit_test(expect_100_is_answered_before_the_body),
        cmocka_unit_test(requests_in_any_pieces_are_the_same_requests),
        cmocka_unit_test(a_full_buffer_of_pipelined_requests_is_answered_in_order),
        cmocka_unit_test(texts_hold_while_the_handler_has_them),
        cmocka_unit_test(who_ends_his_side_still_gets_every_answer),
        cmocka_unit_test(half_a_request_every_way_harms_nobody),
        cmocka_unit_test(an_answer_from_a_timer_does_not_wait),
        cmocka_unit_test(an_asker_who_leaves_is_answered_into_nothing),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
