/* SPDX-License-Identifier: Apache-2.0
 *
 * How streams and servers begin and end: event streams, drain, close, several servers on one port.
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

/* ---- streams ---- */

static void send_one(struct world *to) {
    if (to->stream && at_stream_send(to->stream, AT_TEXT("data: one\n\n"))) to->sent_count++;
}
static void send_much(struct world *to) {
    static char much[64 * 1024];
    memset(much, 'm', sizeof much);
    for (int i = 0; i < 2000 && to->stream; i++)
        if (!at_stream_send(to->stream, (struct at_text){much, sizeof much}))
            return;
        else
            to->sent_count++;
}
static void end_stream(struct world *to) {
    if (to->stream) at_stream_close(to->stream);
    to->stream = NULL;
}

static int open_stream(struct world *to) {
    int fd = dial(to);
    say_text(fd, "GET /stream HTTP/1.1\r\n\r\n");
    struct heard heard = hear(fd, 100, 2000);
    assert_non_null(strstr(heard.text.data, "text/event-stream"));
    assert_null(strstr(heard.text.data, "Content-Length"));
    at_bytes_clear(&heard.text);
    return fd;
}

static void a_stream_goes_on_until_one_side_ends_it(void **state) {
    (void)state;
    int fd = open_stream(&world), closed = world.stream_closed;
    for (int i = 0; i < 3; i++) world_do(&world, send_one);
    struct heard heard = hear(fd, 33, 2000);
    assert_int_equal(count_of(&heard.text, "data: one\n\n"), 3);
    at_bytes_clear(&heard.text);
    world_do(&world, send_one);
    world_do(&world, end_stream); /* what was sent before arrives */
    heard = hear(fd, 0, 2000);
    assert_true(heard.is_closed);
    assert_int_equal(count_of(&heard.text, "data: one\n\n"), 1);
    assert_int_equal(world.stream_closed, closed); /* who closes it is not told */
    at_bytes_clear(&heard.text);
    close(fd);
    fd = open_stream(&world);
    close(fd);
    assert_true(wait_until(&world.stream_closed, closed + 1, 2000));
}

static void a_slow_stream_reader_loses_the_newest(void **state) {
    (void)state;
    int fd = open_stream(&world);
    world.sent_count = 0;
    world_do(&world, send_much);
    assert_in_range(world.sent_count, 1, 1999);
    assert_true(at_account_used(&world.account) < 4u << 20);
    size_t sent = (size_t)world.sent_count * 64 * 1024;
    struct heard heard = hear(fd, sent, 3000);
    assert_int_equal(heard.text.length, sent);
    at_bytes_clear(&heard.text);
    world_do(&world, send_one); /* and goes on */
    heard = hear(fd, 11, 2000);
    assert_string_equal(heard.text.data, "data: one\n\n");
    at_bytes_clear(&heard.text);
    close(fd);
    int closed = world.stream_closed;
    assert_true(wait_until(&world.stream_closed, closed ? closed : 1, 2000));
    usleep(20000);
    struct outcome outcome = outcome_of_text(&world, "HEAD /stream HTTP/1.1\r\n\r\n", 2000);
    assert_int_equal(outcome.status, 200);
    assert_true(outcome.is_closed);
}

/* ---- the end ---- */

static void a_drain_answers_what_was_asked_and_closes_the_rest(void **state) {
    (void)state;
    struct world other;
    world_start(&other, NULL);
    int asked = dial(&other), idle = dial(&other), body = dial(&other), stream = open_stream(&other);
    say_text(asked, "GET /hold HTTP/1.1\r\n\r\n");
    say_text(body, "POST /echo HTTP/1.1\r\nContent-Length: 4\r\n\r\nha");
    assert_true(wait_until(&other.held_count, 1, 2000));
    other.sent_count = 0;
    world_do(&other, send_much); /* a reader who does not read must not keep the server */
    usleep(30000);
    world_do(&other, drain_server);
    struct heard heard = hear(idle, 0, 2000);
    assert_true(heard.is_closed && heard.text.length == 0);
    at_bytes_clear(&heard.text);
    assert_true(wait_until(&other.stream_closed, 1, 2000));
    assert_int_equal(dial_port(other.port, 0), -1);
    assert_int_equal(other.drained, 0);
    say_text(body, "lf");
    heard = hear(body, 0, 2000);
    assert_true(heard.is_closed && strstr(heard.text.data, "Connection: close") &&
                strstr(heard.text.data, "body=half"));
    at_bytes_clear(&heard.text);
    assert_int_equal(other.drained, 0);
    world_do(&other, release_held);
    heard = hear(asked, 0, 2000);
    assert_true(heard.is_closed && strstr(heard.text.data, "Connection: close"));
    at_bytes_clear(&heard.text);
    assert_true(wait_until(&other.drained, 1, 2000));
    close(asked), close(idle), close(body), close(stream);
    world_stop(&other);
    assert_int_equal(other.drained, 1);
}

static void sleep_a_while(struct world *to) {
    (void)to;
    usleep(50000);
}

/* More connections than are written together ask while the loop is busy elsewhere, so that one turn answers
 * them; in the same turn the server is told to drain. */
static void answers_of_one_turn_all_arrive(void **state) {
    (void)state;
    struct world other;
    int asked[40];
    world_start(&other, NULL);
    for (int i = 0; i < 40; i++) asked[i] = dial(&other);
    assert_alive(&other); /* all are accepted */
    other.job = sleep_a_while;
    other.task.run = run_job;
    at_loop_post(other.loop, &other.task);
    for (int i = 0; i < 40; i++)
        say_text(asked[i], i < 39 ? "GET /ok HTTP/1.1\r\n\r\n" : "GET /last HTTP/1.1\r\n\r\n");
    while (sem_wait(&other.done)) {}
    for (int i = 0; i < 40; i++) {
        struct heard heard = hear(asked[i], 0, 2000);
        assert_true(heard.is_closed && strstr(heard.text.data, "\r\n\r\nok"));
        at_bytes_clear(&heard.text);
        close(asked[i]);
    }
    world_stop(&other);
}

static void a_close_waits_for_the_answer_it_is_owed(void **state) {
    (void)state;
    struct world other;
    world_start(&other, NULL);
    int fd = dial(&other);
    say_text(fd, "GET /hold HTTP/1.1\r\n\r\n");
    assert_true(wait_until(&other.held_count, 1, 2000));
    world_do(&other, close_server);
    struct heard heard = hear(fd, 0, 2000);
    assert_true(heard.is_closed && heard.text.length == 0);
    at_bytes_clear(&heard.text);
    usleep(20000);
    assert_int_equal(other.closed, 0); /* the request's memory is lent */
    world_do(&other, release_held);
    assert_true(wait_until(&other.closed, 1, 2000));
    close(fd);
    world_stop(&other);
}

static void servers_share_a_port(void **state) {
    (void)state;
    struct world other;
    assert_int_equal(world_try_start(&other, NULL, world.port), AT_OK);
    world_run(&other);
    assert_int_equal(other.port, world.port);
    for (int i = 0; i < 500 && (other.asked_count == 0 || i < 50); i++) assert_alive(&world);
    assert_true(other.asked_count > 0);
    world_stop(&other);
}

static void an_address_that_is_none_is_an_error(void **state) {
    (void)state;
    struct at_server_handler handler = {&world, on_world_request, NULL, NULL};
    struct at_server *server;
    struct at_loop *loop;
    struct at_error err = {0};
    assert_int_equal(at_loop_new(&loop, NULL, NULL), AT_OK);
    assert_int_equal(at_server_open(&server, loop, "shop.example", 80, NULL, &handler, NULL, &err),
                     AT_INVALID);
    assert_non_null(strstr(err.message, "shop.example"));
    assert_int_equal(at_server_open(&server, loop, "192.0.2.1", 0, NULL, &handler, NULL, &err), AT_IO);
    at_loop_close(loop, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_goes_on_until_one_side_ends_it),
        cmocka_unit_test(a_slow_stream_reader_loses_the_newest),
        cmocka_unit_test(a_drain_answers_what_was_asked_and_closes_the_rest),
        cmocka_unit_test(answers_of_one_turn_all_arrive),
        cmocka_unit_test(a_close_waits_for_the_answer_it_is_owed),
        cmocka_unit_test(servers_share_a_port),
        cmocka_unit_test(an_address_that_is_none_is_an_error),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
