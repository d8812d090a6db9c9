/* SPDX-License-Identifier: Apache-2.0
 *
 * Front workers: a thread, a loop, a guard, pools. Embedded, the host's loop is the only one and has no
 * thread of ours.
 */
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "shop/worker.h"

#define COLLECT_EVERY_MS 20
#define COLLECT_US       200
#define SCRATCH_MAX      (1u << 30)
#define SCRATCH_KEPT     (1u << 20)

struct at_loop *at_worker_loop(struct at_worker *worker) {
    return worker->loop;
}
struct at_shop *at_worker_shop(struct at_worker *worker) {
    return worker->shop;
}
uint32_t at_worker_index(const struct at_worker *worker) {
    return worker->index;
}
uint32_t at_shop_worker_count(const struct at_shop *shop) {
    return shop->worker_count;
}
struct at_worker *at_shop_worker(struct at_shop *shop, uint32_t index) {
    return &shop->workers[index];
}
void *at_worker_face(struct at_worker *worker) {
    return worker->face;
}
void at_worker_set_face(struct at_worker *worker, void *face) {
    worker->face = face;
}
void worker_hop(struct at_worker *worker, struct at_task *task) {
    at_loop_post(worker->loop, task);
}

static void end_turn(struct at_task *task) {
    struct at_worker *worker = (struct at_worker *)((char *)task - offsetof(struct at_worker, turn_task));
    worker->in_turn = false;
    at_store_turn_end(worker->shop->store);
}

void worker_in_turn(struct at_worker *worker) {
    if (worker->in_turn) return;
    worker->in_turn = true;
    worker->turn_task.run = end_turn;
    at_store_turn_begin(worker->shop->store);
    at_loop_at_turn_end(worker->loop, &worker->turn_task);
}

void job_end(struct at_job *job, enum at_status status) {
    if (status == AT_OK && job->out.failed)
        status = at_fail(&job->err, AT_NOMEM, NULL, "out of memory: the answer does not fit");
    job->status = status;
    job->done(job);
}

/* ---- parsers ---- */

#define DEPTH_MAX 64

struct at_json_parser *parser_new(void) {
    return at_json_parser_new(AT_SHOP_BODY_MAX, DEPTH_MAX);
}

struct at_json_parser *parser_borrow(struct at_shop *shop) {
    for (int i = 0; i < SPARE_PARSERS; i++) {
        struct at_json_parser *parser = atomic_exchange(&shop->spare_parsers[i], NULL);
        if (parser) return parser;
    }
    return at_json_parser_new(AT_SHOP_BODY_MAX, DEPTH_MAX + 1);
}

void parser_return(struct at_shop *shop, struct at_json_parser *parser) {
    for (int i = 0; i < SPARE_PARSERS && parser; i++) {
        struct at_json_parser *none = NULL;
        if (atomic_compare_exchange_strong(&shop->spare_parsers[i], &none, parser)) return;
    }
    at_json_parser_free(parser);
}

void parsers_close(struct at_shop *shop) {
    for (int i = 0; i < SPARE_PARSERS; i++)
        at_json_parser_free(atomic_exchange(&shop->spare_parsers[i], NULL));
}

struct at_json_parser *at_worker_take_parser(struct at_worker *worker) {
    return worker->parser_count ? worker->parsers[--worker->parser_count] : parser_new();
}

void at_worker_give_parser(struct at_worker *worker, struct at_json_parser *parser) {
    if (worker->parser_count < PARSERS_MAX)
        worker->parsers[worker->parser_count++] = parser;
    else
        at_json_parser_free(parser);
}

/* ---- life ---- */

/* Garbage of the rules goes between requests, in slices. */
static void collect(void *arg) {
    struct at_worker *worker = arg;
    struct serving *serving = serving_of(worker);
    struct at_language *language = serving ? serving->languages[worker->index] : NULL;
    if (language && !at_language_is_spent(language)) at_language_collect(language, COLLECT_US);
    live_tell_lost(worker);
}

enum at_status worker_open(struct at_worker *worker, struct at_error *err) {
    struct at_shop *shop = worker->shop;
    struct at_account *decisions = &shop->ledger.accounts[AT_ACCOUNT_DECISIONS];
    at_random(&worker->random, sizeof worker->random);
    at_arena_init_kept(&worker->scratch, SCRATCH_MAX, SCRATCH_KEPT);
    at_bytes_init(&worker->text, AT_SHOP_BODY_MAX);
    if (ring_open(&worker->ring, decisions->limit / shop->worker_count, decisions) != AT_OK)
        return at_fail(err, AT_NOMEM, NULL, "no memory for a worker");
    return at_loop_new(&worker->loop, shop->options.host_loop, err);
}

/* On the worker's thread. */
enum at_status worker_begin(struct at_worker *worker, struct at_error *err) {
    struct at_shop *shop = worker->shop;
    at_guard_register(shop->watchdog, &worker->guard);
    worker->has_guard = true;
    worker->collector = at_timer_new(worker->loop, collect, worker);
    if (!worker->collector) return at_fail(err, AT_NOMEM, NULL, "no memory for a worker");
    at_timer_start(worker->collector, COLLECT_EVERY_MS, COLLECT_EVERY_MS);
    if (!shop->options.on_worker_start) return AT_OK;
    return shop->options.on_worker_start(shop->options.worker_arg, worker, err);
}

/* On the worker's thread, when the face has let go. */
void worker_end(struct at_worker *worker) {
    if (worker->index == 0) scripts_unwatch(worker->shop);
    if (worker->collector) at_timer_free(worker->collector);
    worker->collector = NULL;
    while (worker->subscriptions) at_subscription_free(worker->subscriptions);
    if (worker->has_guard) at_guard_unregister(&worker->guard);
    worker->has_guard = false;
}

/* What may only go when nothing runs any more. */
void worker_close(struct at_worker *worker) {
    for (uint32_t i = 0; i < worker->parser_count; i++) at_json_parser_free(worker->parsers[i]);
    worker->parser_count = 0;
    ring_close(&worker->ring);
    at_arena_clear(&worker->scratch);
    at_bytes_clear(&worker->text);
    free(worker->row_marks);
    worker->row_marks = NULL;
    worker->row_mark_words = 0;
    serving_unref(worker->serving);
    worker->serving = NULL;
    if (worker->baseline) at_baseline_unref(worker->baseline);
    shown_unref(worker->shown);
    worker->baseline = NULL;
    worker->shown = NULL;
}

static void worker_main(void *arg) {
    struct at_worker *worker = arg;
    struct at_shop *shop = worker->shop;
    worker->start_status = worker_begin(worker, &worker->start_error);
    pthread_mutex_lock(&shop->closing_mutex);
    worker->is_up = true;
    pthread_cond_broadcast(&shop->closing_wake);
    pthread_mutex_unlock(&shop->closing_mutex);
    if (worker->start_status == AT_OK) at_loop_run(worker->loop);
    worker_end(worker);
}

enum at_status worker_start(struct at_worker *worker, struct at_error *err) {
    struct at_shop *shop = worker->shop;
    char name[16];
    snprintf(name, sizeof name, "attune-%u", worker->index & 0xFF);
    enum at_status status =
        at_thread_start(&worker->thread, name, worker_main, worker, at_watchdog_signal(shop->watchdog), err);
    if (status != AT_OK) return status;
    worker->has_thread = true;
    pthread_mutex_lock(&shop->closing_mutex);
    while (!worker->is_up) pthread_cond_wait(&shop->closing_wake, &shop->closing_mutex);
    pthread_mutex_unlock(&shop->closing_mutex);
    if (worker->start_status != AT_OK && err) *err = worker->start_error;
    return worker->start_status;
}

static void stop_here(struct at_task *task) {
    struct at_worker *worker = (struct at_worker *)((char *)task - offsetof(struct at_worker, stop_task));
    struct at_shop *shop = worker->shop;
    if (shop->options.on_worker_stop)
        shop->options.on_worker_stop(shop->options.worker_arg, worker);
    else
        at_worker_stopped(worker);
}

void worker_ask_stop(struct at_worker *worker) {
    worker->stop_task.run = stop_here;
    worker_hop(worker, &worker->stop_task);
}
