/* SPDX-License-Identifier: Apache-2.0
 *
 * What the server refuses, and what hostile peers cannot make it hold: framing, sizes, times, gzip, readers
 * that do not read.
 */
#include <zlib.h>
#include "net_world.h"

static struct world world;

/* Small times, so that they can be waited for. */
static int start(void **state) {
    struct at_server_limits limits = at_server_limits_default;
    (void)state;
    limits.header_timeout_ms = 700;
    limits.body_timeout_ms = 900;
    limits.idle_timeout_ms = 1500;
    limits.connections_max = 40;
    world_start(&world, &limits);
    return 0;
}
static int stop(void **state) {
    (void)state;
    world_stop(&world);
    return 0;
}

/* Refused with that status, the connection closed, what follows not read. */
static void expect_refusal(const char *text, int status) {
    struct at_bytes all;
    at_bytes_init(&all, SIZE_MAX);
    at_bytes_printf(&all, "%sGET /ok HTTP/1.1\r\nHost: x\r\n\r\n", text);
    struct outcome outcome = outcome_of(&world, all.data, all.length, 2500);
    if (outcome.status != status || outcome.answers != 1 || !outcome.is_closed)
        fail_msg("%s\n→ %d, %d answers, closed %d; wanted %d", text, outcome.status, outcome.answers,
                 outcome.is_closed, status);
    at_bytes_clear(&all);
}

#define P "POST /echo HTTP/1.1\r\nHost: x\r\n"

static void ambiguous_framing_is_refused_and_the_connection_closed(void **state) {
    (void)state;
    static const char *const shapes[] = {
        P "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        P "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
        P "Content-Length: 4, 4\r\n\r\nabcd",
        P "Content-Length: +4\r\n\r\nabcd",
        P "Content-Length: 0x4\r\n\r\nabcd",
        P "Content-Length: -1\r\n\r\n",
        P "Content-Length:\r\n\r\n",
        P "Content-Length: 99999999999999999999\r\n\r\n",
        P "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        P "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        P "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        P "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        P "Transfer-Encoding: identity\r\n\r\n",
        P "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        P "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        P "Transfer-Encoding:\vchunked\r\n\r\n0\r\n\r\n",
        P "Content-Length:\r\n 4\r\n\r\nabcd",
        "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        P "Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n",
        P "Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n",
        P "Transfer-Encoding: chunked\r\n\r\n1\na\n0\n\n",
        P "Transfer-Encoding: chunked\r\n\r\n1;a\nb\r\na\r\n0\r\n\r\n",
        P "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        P "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n",
        P "Content-Length : 4\r\n\r\nabcd",
        P "X-Mark: a\r\n b\r\n\r\n",
        P "X-Mark:\r\n b\r\n\r\n",
        P "X-Mark: a\rX-Late: b\r\n\r\n",
        P "X\x01Mark: a\r\n\r\n",
        P "X-Mark: a\x01\r\n\r\n",
        P ": a\r\n\r\n",
        P "Host: y\r\n\r\n",
        "GET /ok HTTP/1.1\r\n Host: x\r\n\r\n",
        "GET /ok HTTP/1.1\nHost: x\n\n",
        "GET  /ok HTTP/1.1\r\n\r\n",
        "GET /ok  HTTP/1.1\r\n\r\n",
        "GET /ok\x01 HTTP/1.1\r\n\r\n",
        "get /ok HTTP/1.1\r\n\r\n",
        "OPTIONS /ok RTSP/1.0\r\n\r\n",
        "\x16\x03\x01\x02\x01",
        "BREW /pot HTCPCP/1.0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /ok HTTP/9.9\r\n\r\n",
    };
    for (size_t i = 0; i < AT_LENGTH(shapes); i++) expect_refusal(shapes[i], 400);
    expect_refusal("GET /ok HTTP/2.0\r\n\r\n", 505);
    expect_refusal("GET /ok HTTP/0.9\r\n\r\n", 505);
    expect_refusal("GET /ok\r\n\r\n", 505);
    expect_refusal("CONNECT shop.example:443 HTTP/1.1\r\n\r\n", 501);
    expect_refusal("PROPFIND / HTTP/1.1\r\n\r\n", 501);
    assert_true(world.refused_count >= (int)AT_LENGTH(shapes) + 5);
}

/* These three only a strict llhttp refuses: it must be compiled with -DLLHTTP_STRICT_MODE=1. */
static void llhttp_is_built_strict(void **state) {
    (void)state;
    expect_refusal(P "Transfer-Encoding: chunked\r\n\r\n1\r\naXX0\r\n\r\n", 400);
    expect_refusal("GET /o\tk HTTP/1.1\r\n\r\n", 400);
    expect_refusal("GET /o\xffk HTTP/1.1\r\n\r\n", 400);
}

static void fill(struct at_bytes *text, const char *before, char c, size_t count, const char *after) {
    static char many[1 << 20];
    assert_true(count <= sizeof many);
    memset(many, c, count);
    at_bytes_reset(text);
    at_bytes_add_text(text, before);
    at_bytes_add(text, many, count);
    at_bytes_add_text(text, after);
}

static void sizes_have_limits(void **state) {
    (void)state;
    struct at_bytes text;
    at_bytes_init(&text, SIZE_MAX);
    fill(&text, "GET /", 'a', 17000, " HTTP/1.1\r\n\r\n");
    expect_refusal(text.data, 431);
    fill(&text, "GET /ok HTTP/1.1\r\nX: ", 'a', 17000, "\r\n\r\n");
    expect_refusal(text.data, 431);
    fill(&text, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: ", 'a', 17000, "\r\n\r\n1\r\na\r\n");
    expect_refusal(text.data, 431);
    fill(&text, "GET /echo HTTP/1.1\r\nX: ", 'a', 16000, "\r\n\r\n");
    assert_int_equal(outcome_of(&world, text.data, text.length, 200).status, 200);
    at_bytes_reset(&text);
    at_bytes_add_text(&text, "GET /ok HTTP/1.1\r\n");
    for (int i = 0; i < 64; i++) at_bytes_printf(&text, "A%d: b\r\n", i);
    at_bytes_add_text(&text, "\r\n");
    assert_int_equal(outcome_of(&world, text.data, text.length, 200).status, 200);
    at_bytes_reset(&text);
    at_bytes_add_text(&text, "GET /ok HTTP/1.1\r\n");
    for (int i = 0; i < 65; i++) at_bytes_printf(&text, "A%d: b\r\n", i);
    at_bytes_add_text(&text, "\r\n");
    expect_refusal(text.data, 431);
    expect_refusal(P "Content-Length: 1048577\r\n\r\n", 413);
    expect_refusal("POST /large HTTP/1.1\r\nContent-Length: 4194305\r\n\r\n", 413);
    fill(&text, P "Transfer-Encoding: chunked\r\n\r\n100000\r\n", 'a', 1 << 20, "\r\n1\r\na\r\n0\r\n\r\n");
    expect_refusal(text.data, 413);
    fill(&text, P "Transfer-Encoding: chunked\r\n\r\n100000\r\n", 'a', 1 << 20, "\r\n0\r\n\r\n");
    assert_int_equal(outcome_of(&world, text.data, text.length, 500).status, 200);
    fill(&text, "POST /large HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", 'a', 1 << 20, "a");
    assert_int_equal(outcome_of(&world, text.data, text.length, 500).status, 200);
    at_bytes_clear(&text);
}

/* Sends piece again and again until the peer closes: the most memory the account saw meanwhile. */
static size_t flood(const char *begin, const char *piece) {
    struct at_bytes many;
    at_bytes_init(&many, SIZE_MAX);
    while (many.length < 60000) at_bytes_add_text(&many, piece);
    size_t before = at_account_used(&world.account), held = 0;
    int fd = dial(&world);
    bool goes_on = say_text(fd, begin);
    for (int i = 0; goes_on && i < 1000; i++) {
        goes_on = say(fd, many.data, many.length);
        size_t used = at_account_used(&world.account);
        if (used > before + held) held = used - before;
    }
    close(fd);
    at_bytes_clear(&many);
    return held;
}

static void framing_without_body_fills_no_memory(void **state) {
    (void)state;
    const char *chunked = P "Transfer-Encoding: chunked\r\n\r\n";
    int before = world.refused_count;
    assert_in_range(flood(P "Transfer-Encoding: chunked\r\n\r\n1;", "extension"), 0, 512 * 1024);
    assert_in_range(flood(P "Transfer-Encoding: chunked\r\n\r\n0\r\n", "X-Trailer: value\r\n"), 0,
                    512 * 1024);
    assert_in_range(flood(chunked, "1;an-extension-much-longer-than-the-byte-it-comes-with\r\na\r\n"), 0,
                    512 * 1024);
    assert_true(wait_until(&world.refused_count, before + 3, 2000));
    assert_in_range(flood("", "\r\n"), 0, 512 * 1024); /* empty lines before a request */
    assert_alive(&world);
    /* A peer that sends byte by byte is none of these. */
    struct at_bytes text;
    at_bytes_init(&text, SIZE_MAX);
    at_bytes_add_text(&text, chunked);
    for (int i = 0; i < 100000; i++) at_bytes_add_text(&text, "1\r\na\r\n");
    at_bytes_add_text(&text, "0\r\n\r\n");
    assert_int_equal(outcome_of(&world, text.data, text.length, 500).status, 200);
    at_bytes_clear(&text);
}

/* ---- times ---- */

static void slow_peers_are_let_go(void **state) {
    (void)state;
    int head = dial(&world), body = dial(&world), idle = dial(&world), lines = dial(&world);
    say_text(head, "GET /ok HTTP/1.1\r\nX: ");
    say_text(body, P "Content-Length: 9\r\n\r\nab");
    struct heard of_idle = {.is_closed = false};
    bool head_open = true, lines_open = true;
    for (int i = 0; i < 30; i++) { /* drip: a head has one deadline for the whole of it */
        usleep(100000);
        head_open = head_open && say_text(head, "x");
        lines_open = lines_open && say_text(lines, "\r\n");
    }
    of_idle = hear(idle, 0, 100);
    struct heard of_head = hear(head, 0, 100), of_body = hear(body, 0, 100), of_lines = hear(lines, 0, 100);
    assert_true(of_idle.is_closed && of_idle.text.length == 0);
    assert_true(of_lines.is_closed);
    assert_true(of_body.is_closed && strstr(of_body.text.data, "HTTP/1.1 408 "));
    assert_true(of_head.is_closed || !head_open);
    at_bytes_clear(&of_head.text), at_bytes_clear(&of_body.text);
    at_bytes_clear(&of_idle.text), at_bytes_clear(&of_lines.text);
    close(head), close(body), close(idle), close(lines);
}

static void a_body_that_keeps_coming_is_waited_for(void **state) {
    (void)state;
    int fd = dial(&world);
    say_text(fd, P "Content-Length: 12\r\n\r\n");
    for (int i = 0; i < 12; i++) {
        usleep(200000);
        assert_true(say_text(fd, "b"));
    }
    struct heard heard = hear(fd, 0, 500);
    assert_non_null(strstr(heard.text.data, "body=bbbbbbbbbbbb"));
    at_bytes_clear(&heard.text);
    close(fd);
}

/* ---- readers ---- */

static void who_does_not_read_makes_nothing_grow(void **state) {
    (void)state;
    enum { READERS = 10 };
    int fds[READERS], before = world.asked_count;
    for (int i = 0; i < READERS; i++) {
        fds[i] = dial_port(world.port, 4096);
        for (int j = 0; j < 500; j++) /* 500 answers of 20 kB each: 10 MB a reader if they were kept */
            if (send(fds[i], "GET /big?n=20000 HTTP/1.1\r\n\r\n", 29, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) break;
    }
    usleep(300000);
    assert_true(at_account_used(&world.account) < READERS * 512 * 1024);
    assert_true(world.asked_count - before < READERS * 450); /* what cannot be said is not asked */
    assert_alive(&world);
    usleep(2500000); /* body_timeout without reading: closed */
    for (int i = 0; i < READERS; i++) {
        struct heard heard = hear(fds[i], 0, 1000);
        assert_true(heard.is_closed);
        at_bytes_clear(&heard.text);
        close(fds[i]);
    }
}

static void a_slow_reader_who_reads_gets_everything(void **state) {
    (void)state;
    enum { SIZE = 3000000, STEP = 60000 };
    static char buffer[STEP];
    int fd = dial_port(world.port, 4096);
    say_text(fd, "GET /big?n=3000000 HTTP/1.1\r\n\r\n");
    size_t got = 0;
    for (int i = 0; i < 400 && got < SIZE; i++) { /* some 3 s: longer than body_timeout */
        size_t step = 0;
        while (step < STEP && got + step < SIZE) {
            ssize_t n = recv(fd, buffer, STEP - step, 0);
            if (n <= 0) break;
            step += (size_t)n;
        }
        got += step;
        usleep(50000);
    }
    assert_true(got >= SIZE);
    close(fd);
}

static void an_answer_over_the_output_limit_ends_the_connection(void **state) {
    (void)state;
    struct at_server_limits limits = at_server_limits_default;
    struct world other;
    limits.output_bytes_max = 1 << 20;
    world_start(&other, &limits);
    assert_int_equal(outcome_of_text(&other, "GET /big?n=1000000 HTTP/1.1\r\n\r\n", 300).status, 200);
    struct outcome outcome = outcome_of_text(&other, "GET /big?n=1100000 HTTP/1.1\r\n\r\n", 2000);
    assert_true(outcome.is_closed && outcome.answers == 0);
    assert_alive(&other);
    world_stop(&other);
}

static void one_connection_too_many_is_told(void **state) {
    (void)state;
    int fds[40];
    for (int i = 0; i < 40; i++) {
        fds[i] = dial(&world);
        say_text(fds[i], "GET /ok HTTP/1.1\r\n\r\n");
        struct heard heard = hear(fds[i], 60, 1000);
        assert_non_null(strstr(heard.text.data, "200 OK"));
        at_bytes_clear(&heard.text);
    }
    const char *asked = "GET /ok HTTP/1.1\r\n\r\n";
    struct heard heard = ask_raw(&world, asked, strlen(asked), 3000);
    assert_non_null(strstr(heard.text.data, "HTTP/1.1 503 "));
    assert_non_null(strstr(heard.text.data, "Retry-After: 1\r\n"));
    assert_true(heard.is_closed);
    at_bytes_clear(&heard.text);
    for (int i = 0; i < 40; i++) close(fds[i]);
    usleep(50000);
    assert_alive(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ambiguous_framing_is_refused_and_the_connection_closed),
        cmocka_unit_test(llhttp_is_built_strict),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(framing_without_body_fills_no_memory),
        cmocka_unit_test(slow_peers_are_let_go),
        cmocka_unit_test(a_body_that_keeps_coming_is_waited_for),
        cmocka_unit_test(who_does_not_read_makes_nothing_grow),
        cmocka_unit_test(a_slow_reader_who_reads_gets_everything),
        cmocka_unit_test(an_answer_over_the_output_limit_ends_the_connection),
        cmocka_unit_test(one_connection_too_many_is_told),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
