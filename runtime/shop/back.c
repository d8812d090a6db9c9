/* SPDX-License-Identifier: Apache-2.0
 *
 * The back worker: one thread and a queue of tasks that may block. What is slow goes here so that no shopper
 * waits for it. Between tasks it learns from durable events and writes behind.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "shop/erase.h"
#include "shop/learn.h"

#define TICK_MS         250
#define TEND_NS         2000000000ULL
#define FLUSH_IMPORT_NS 10000000000ULL
#define FILL_REST_MS    20 /* between slices of what has time: who answers comes first */

void back_post(struct at_shop *shop, struct back_task *task) {
    task->next = NULL;
    pthread_mutex_lock(&shop->back_mutex);
    if (shop->back_last)
        shop->back_last->next = task;
    else
        shop->back_first = task;
    shop->back_last = task;
    pthread_cond_signal(&shop->back_wake);
    pthread_mutex_unlock(&shop->back_mutex);
}

static struct back_task *next_task(struct at_shop *shop, uint64_t wait_ms, bool *ends) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)wait_ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&shop->back_mutex);
    int code = 0;
    while (!shop->back_first && !shop->is_stopping && wait_ms && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&shop->back_wake, &shop->back_mutex, &until);
    struct back_task *task = shop->back_first;
    if (task) {
        shop->back_first = task->next;
        if (!shop->back_first) shop->back_last = NULL;
    }
    *ends = !task && shop->is_stopping;
    pthread_mutex_unlock(&shop->back_mutex);
    return task;
}

/* While the past comes in, who changed changes again soon: what is written then would be written many times.
 * What is changed cannot leave its cache, so that waiting ends where the cache grows over its limit. */
static bool may_wait(struct at_shop *shop, uint64_t now_ns) {
    const struct at_account *profiles = &shop->ledger.accounts[AT_ACCOUNT_PROFILES];
    return learn_is_importing(shop->learner) && now_ns - shop->flushed_ns < FLUSH_IMPORT_NS &&
           at_account_used(profiles) < profiles->limit + profiles->limit / 8;
}

static enum at_status write_behind(struct at_shop *shop) {
    enum at_status status = flush_all(shop);
    return status == AT_OK ? segments_flush(shop) : status;
}

static void tend(struct at_shop *shop) {
    learn_drain(shop);
    learn_publish(shop);
    decision_log_flush(shop);
    access_flush(shop);
    erase_tend(shop, false);
    retention_tend(shop);
    uint64_t now = at_ticks_ns();
    bool is_pressed = pressure_is_on(shop);
    if (!is_pressed) pressure_relieve(shop);
    if (!is_pressed && now - shop->tended_ns < TEND_NS) return;
    shop->tended_ns = now;
    if ((is_pressed || !may_wait(shop, now)) && write_behind(shop) != AT_OK)
        at_log(at_shop_log(shop), AT_LOG_WARN, "store", "writing behind failed; it is tried again");
    rhythm_refresh(shop);
    if (messages_seal(shop, is_pressed) != AT_OK)
        at_log(at_shop_log(shop), AT_LOG_WARN, "store", "sealing message ids failed; it is tried again");
    pressure_relieve(shop);
}

static struct back_task *next_short(struct at_shop *shop) {
    pthread_mutex_lock(&shop->back_mutex);
    struct back_task *before = NULL, *task = shop->back_first;
    while (task && task->waits_turn) {
        before = task;
        task = task->next;
    }
    if (task && before)
        before->next = task->next;
    else if (task)
        shop->back_first = task->next;
    if (task && shop->back_last == task) shop->back_last = before;
    pthread_mutex_unlock(&shop->back_mutex);
    return task;
}

void back_breathe(struct at_shop *shop) {
    for (struct back_task *task; (task = next_short(shop)) != NULL;) task->run(task);
    tend(shop);
}

static void back_main(void *arg) {
    struct at_shop *shop = arg;
    shop->tended_ns = shop->flushed_ns = at_ticks_ns();
    uint64_t wait_ms = TICK_MS;
    bool ends = false;
    at_guard_register(shop->watchdog, &shop->back_guard);
    while (!ends) {
        struct back_task *task = next_task(shop, wait_ms, &ends);
        if (task) task->run(task);
        tend(shop);
        wait_ms = TICK_MS;
        if (!ends && rhythm_fill(shop)) wait_ms = FILL_REST_MS;
        if (!ends && segments_turn(shop, &wait_ms)) wait_ms = 0;
    }
    at_guard_unregister(&shop->back_guard);
}

enum at_status back_start(struct at_shop *shop, struct at_error *err) {
    enum at_status status = at_thread_start(&shop->back_thread, "attune-back", back_main, shop,
                                            at_watchdog_signal(shop->watchdog), err);
    shop->has_back = status == AT_OK;
    return status;
}

void back_stop(struct at_shop *shop) {
    if (!shop->has_back) return;
    pthread_mutex_lock(&shop->back_mutex);
    shop->is_stopping = true;
    pthread_cond_signal(&shop->back_wake);
    pthread_mutex_unlock(&shop->back_mutex);
    at_thread_join(shop->back_thread);
    shop->has_back = false;
}

/* ---- waiting for a commit ---- */

static void commit_over(struct at_unit *unit) {
    at_latch_open(unit->arg);
}

enum at_status commit_send(struct at_shop *shop, struct at_unit *unit, bool behind, struct at_latch *over) {
    at_latch_init(over);
    unit->arg = over;
    unit->done = unit->refuse = commit_over;
    unit->status = AT_OK;
    enum at_status status =
        behind ? at_store_commit_behind(shop->store, unit) : at_store_commit(shop->store, unit);
    if (status != AT_OK) at_latch_clear(over);
    return status;
}

enum at_status commit_outcome(struct at_unit *unit, struct at_latch *over) {
    at_latch_wait(over);
    at_latch_clear(over);
    return unit->status;
}

enum at_status commit_and_wait(struct at_shop *shop, struct at_unit *unit, bool behind) {
    struct at_latch over;
    enum at_status status = commit_send(shop, unit, behind, &over);
    return status == AT_OK ? commit_outcome(unit, &over) : status;
}

/* ---- errands: a job that is carried to another thread and back ---- */

struct errand {
    struct back_task back;
    struct at_read read;
    struct at_task hop;
    struct at_job *job;
    enum at_status (*on_back)(struct at_job *job, void *arg);
    errand_read_fn *on_reader;
    void *arg;
    enum at_status status;
};

static void errand_home(struct at_task *hop) {
    struct errand *errand = (struct errand *)((char *)hop - offsetof(struct errand, hop));
    job_end(errand->job, errand->status);
}

static void run_on_back(struct back_task *task) {
    struct errand *errand = (struct errand *)task;
    errand->status = errand->on_back(errand->job, errand->arg);
    worker_hop(errand->job->worker, &errand->hop);
}

static void run_on_reader(struct at_read *read, struct at_reader *reader) {
    struct errand *errand = (struct errand *)((char *)read - offsetof(struct errand, read));
    errand->status = errand->on_reader(errand->job, reader, errand->arg);
    worker_hop(errand->job->worker, &errand->hop);
}

static struct errand *errand_new(struct at_job *job, void *arg) {
    struct errand *errand = at_arena_zalloc(job->arena, sizeof *errand);
    if (!errand) return NULL;
    errand->job = job;
    errand->arg = arg;
    errand->hop.run = errand_home;
    return errand;
}

static enum at_status post(struct at_job *job, enum at_status (*fn)(struct at_job *job, void *arg), void *arg,
                           bool waits_turn) {
    struct errand *errand = errand_new(job, arg);
    if (!errand) return AT_NOMEM;
    errand->on_back = fn;
    errand->back.run = run_on_back;
    errand->back.waits_turn = waits_turn;
    back_post(job->worker->shop, &errand->back);
    return AT_OK;
}

enum at_status errand_post(struct at_job *job, enum at_status (*fn)(struct at_job *job, void *arg),
                           void *arg) {
    return post(job, fn, arg, false);
}

enum at_status errand_post_turn(struct at_job *job, enum at_status (*fn)(struct at_job *job, void *arg),
                                void *arg) {
    return post(job, fn, arg, true);
}

static struct errand *errand_for_reader(struct at_job *job, errand_read_fn *fn, void *arg) {
    struct errand *errand = errand_new(job, arg);
    if (!errand) return NULL;
    errand->on_reader = fn;
    errand->read.run = run_on_reader;
    return errand;
}

enum at_status errand_read(struct at_job *job, errand_read_fn *fn, void *arg) {
    struct errand *errand = errand_for_reader(job, fn, arg);
    if (!errand) return AT_NOMEM;
    at_store_read(job->worker->shop->store, &errand->read);
    return AT_OK;
}

enum at_status errand_read_slowly(struct at_job *job, errand_read_fn *fn, void *arg) {
    struct errand *errand = errand_for_reader(job, fn, arg);
    if (!errand) return AT_NOMEM;
    at_store_read_slowly(job->worker->shop->store, &errand->read);
    return AT_OK;
}
