/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of one import, several on their way at once, in a store that refuses commits at random: the log
 * has their events in the order in which the requests came, whether they share people, wait for a look-up, or
 * have nothing in common; and when one fails, those behind it do.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>
#include "cases.h"
#include "shop/internal.h"

enum { REQUESTS = 120, FLYING = 4, EVENTS_MOST = 12 };

static char folder[64];
static uint64_t seed;

struct request {
    struct at_job job;
    struct at_arena arena;
    struct at_json_parser *parser;
    struct at_bytes body;
    uint32_t *flying;
    bool is_over;
};
struct world {
    uv_loop_t loop;
    struct at_shop *shop;
    uint32_t flying, events, failed;
};

static void open_world(struct world *world, uint32_t stale_per_mille) {
    struct at_error err = {0};
    char path[128];
    snprintf(folder, sizeof folder, "/tmp/attune-line-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/scripts", folder);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/data", folder);
    *world = (struct world){.events = 0};
    uv_loop_init(&world->loop);
    static const struct at_log nowhere = {.fd = -1};
    struct at_shop_options options = {.folder = strdup(folder),
                                      .data = strdup(path),
                                      .host_loop = &world->loop,
                                      .watchdog_signal = 0,
                                      .log = &nowhere,
                                      .skips_watching = true,
                                      .stale_per_mille = stale_per_mille};
    if (at_shop_open(&world->shop, &options, &err) != AT_OK) fail_msg("%s", err.message);
    free((char *)options.folder);
    free((char *)options.data);
}

static void on_closed(void *arg) {
    *(bool *)arg = true;
}

static void close_world(struct world *world) {
    bool is_closed = false;
    char command[128];
    at_shop_close(world->shop, on_closed, &is_closed);
    while (!is_closed) uv_run(&world->loop, UV_RUN_ONCE);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static void on_done(struct at_job *job) {
    struct request *request = job->arg;
    request->is_over = true;
    --*request->flying;
}

/* kind 0: people of its own; 1: people whom all share; 2: an order each, which is looked up. */
static void write_events(struct world *world, struct request *request, uint32_t n) {
    uint32_t kind = random_below(&seed, 3), count = 1 + random_below(&seed, EVENTS_MOST);
    at_bytes_init(&request->body, 1 << 20);
    at_bytes_add_text(&request->body, "{\"batch\":[");
    for (uint32_t i = 0; i < count; i++, world->events++) {
        uint32_t who = kind == 1 ? random_below(&seed, 5) : 1000 * (n + 1) + i;
        at_bytes_printf(&request->body,
                        "%s{\"type\":\"track\",\"messageId\":\"%u\",\"anonymousId\":\"v%u\",\"event\":\"%s\","
                        "\"properties\":{\"order_id\":\"o%u\"}}",
                        i ? "," : "", world->events, who, kind == 2 ? "Order Completed" : "Product Viewed",
                        world->events - random_below(&seed, 2));
    }
    at_bytes_printf(&request->body, "],\"mark\":{\"name\":\"m\",\"state\":{\"n\":%u}}}", n);
    assert_true(at_bytes_reserve(&request->body, AT_JSON_PADDING));
}

static void send_request(struct world *world, struct request *request, uint32_t n) {
    struct at_json body;
    struct at_worker *worker = at_shop_worker(world->shop, 0);
    write_events(world, request, n);
    at_arena_init(&request->arena, 1 << 24);
    request->flying = &world->flying;
    request->job = (struct at_job){.worker = worker,
                                   .arena = &request->arena,
                                   .is_secret = true,
                                   .source = "default",
                                   .done = on_done,
                                   .arg = request};
    at_bytes_init(&request->job.out, 1 << 20);
    request->parser = at_worker_take_parser(worker);
    assert_int_equal(
        at_json_parse(request->parser, request->body.data, request->body.length, true, &body, NULL), AT_OK);
    world->flying++;
    at_shop_track(&request->job, NULL, body, true);
}

static void end_request(struct world *world, struct request *request) {
    assert_true(request->is_over);
    if (request->job.status != AT_OK) world->failed++;
    at_worker_give_parser(at_shop_worker(world->shop, 0), request->parser);
    at_bytes_clear(&request->body);
    at_bytes_clear(&request->job.out);
    at_arena_clear(&request->arena);
}

static void send_all(struct world *world, struct request *requests) {
    for (uint32_t n = 0; n < REQUESTS; n++) {
        while (world->flying >= 1 + random_below(&seed, FLYING)) uv_run(&world->loop, UV_RUN_ONCE);
        send_request(world, &requests[n], n);
    }
    while (world->flying) uv_run(&world->loop, UV_RUN_ONCE);
    for (uint32_t n = 0; n < REQUESTS; n++) end_request(world, &requests[n]);
}

struct checking {
    struct at_read read;
    uint32_t next, wrong;
};

static bool check_row(void *arg, const struct at_event_row *row) {
    struct checking *checking = arg;
    checking->wrong += (uint32_t)strtoul(row->message_id.data, NULL, 10) != checking->next;
    checking->next++;
    return true;
}

static void check_log(struct at_read *read, struct at_reader *reader) {
    assert_int_equal(at_reader_log(reader, 0, UINT64_MAX >> 1, check_row, read), AT_OK);
}

static void requests_of_one_import_keep_their_order(void **state) {
    (void)state;
    uint64_t first = seed = first_seed((uint64_t)getpid());
    for (int round = 0; round < 4; round++) {
        struct world world;
        struct request *requests = calloc(REQUESTS, sizeof *requests);
        struct checking checking = {.read = {.run = check_log}};
        open_world(&world, 300);
        send_all(&world, requests);
        at_store_read_now(world.shop->store, &checking.read);
        if (checking.wrong || checking.next != world.events || world.failed)
            fail_msg("seed %llu, round %d: %u of %u events, %u not in their place, %u requests failed",
                     (unsigned long long)first, round, checking.next, world.events, checking.wrong,
                     world.failed);
        assert_null(at_shop_worker(world.shop, 0)->lines);
        close_world(&world);
        free(requests);
    }
    print_message("property: requests of one import, 4 rounds of %d, seed %llu\n", REQUESTS,
                  (unsigned long long)first);
}

static void where_one_fails_those_behind_fail(void **state) {
    (void)state;
    struct world world;
    struct request requests[3] = {{.is_over = false}};
    struct checking checking = {.read = {.run = check_log}};
    open_world(&world, 1000); /* refused until it is given up */
    for (uint32_t n = 0; n < 3; n++) send_request(&world, &requests[n], n);
    while (world.flying) uv_run(&world.loop, UV_RUN_ONCE);
    for (uint32_t n = 0; n < 3; n++) {
        assert_int_equal(requests[n].job.status, AT_BUSY);
        end_request(&world, &requests[n]);
    }
    at_store_read_now(world.shop->store, &checking.read);
    assert_int_equal(checking.next, 0);
    assert_null(at_shop_worker(world.shop, 0)->lines);
    close_world(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(requests_of_one_import_keep_their_order),
                                       cmocka_unit_test(where_one_fails_those_behind_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
