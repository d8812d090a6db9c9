/* SPDX-License-Identifier: Apache-2.0
 *
 * A shop's life: opened from the store outwards, closed the other way round. With own workers closing waits;
 * embedded it goes in two steps, the first on the host's loop, the rest on a thread that then tells the loop.
 */
#include "shop/shop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/hash.h"
#include "base/phone.h"
#include "shop/erase.h"
#include "shop/folder.h"
#include "shop/waiting.h"
#include "shop/worker.h"

struct at_ledger *at_shop_ledger(struct at_shop *shop) {
    return &shop->ledger;
}
const struct at_log *at_shop_log(const struct at_shop *shop) {
    return shop->options.log;
}
int64_t at_shop_now(const struct at_shop *shop) {
    return at_clock_now(&shop->clock);
}

/* ---- keys ---- */

bool at_shop_has_keys(const struct at_shop *shop) {
    return shop->settings->key_count > 0;
}

struct at_key_match at_shop_key(struct at_shop *shop, const char *key, size_t length, bool is_loopback) {
    struct at_key_match match = {AT_KEY_NONE, "default"};
    const struct at_settings *settings = shop->settings;
    if (!settings->key_count) {
        if (is_loopback) match.class = AT_KEY_SECRET;
        return match;
    }
    for (uint32_t i = 0; i < settings->key_count;
         i++) { /* all of them, whatever matched: the time says nothing */
        const struct at_key *one = &settings->keys[i];
        bool is_it = at_equal_secret(key ? key : "", length, one->value.data, one->value.length) && length;
        if (is_it) match = (struct at_key_match){one->is_secret ? AT_KEY_SECRET : AT_KEY_WRITE, one->source};
    }
    return match;
}

bool at_shop_allows_origin(const struct at_shop *shop, struct at_text origin) {
    for (uint32_t i = 0; i < shop->settings->origin_count; i++)
        if (at_text_is(origin, shop->settings->origins[i])) return true;
    return false;
}

/* ---- open ---- */

enum at_status settings_read(struct at_shop *shop, struct at_settings **out, struct at_error *err) {
    struct at_arena arena;
    struct at_text text = {NULL, 0};
    struct at_settings_source source = {shop->folder, shop->options.env, shop->options.env_arg};
    at_arena_init(&arena, 4 << 20);
    enum at_status status = folder_read_file(shop->folder, "shop.lua", &arena, &text, err);
    if (status == AT_NOTFOUND) status = AT_OK;
    if (status == AT_OK) status = at_settings_load(&source, text.data, text.length, out, err);
    at_arena_clear(&arena);
    return status;
}

static enum at_status open_store(struct at_shop *shop, struct at_error *err) {
    struct at_store_options options = {.directory = shop->data,
                                       .vfs = shop->options.vfs,
                                       .ledger = &shop->ledger,
                                       .log = shop->options.log,
                                       .stale_per_mille = shop->options.stale_per_mille,
                                       .stale_seed = 1,
                                       .reader_count = 2};
    return at_store_open(&shop->store, &options, err);
}

static enum at_status open_workers(struct at_shop *shop, struct at_error *err) {
    uint32_t count = shop->options.host_loop      ? 1
                     : shop->options.worker_count ? shop->options.worker_count
                                                  : (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    shop->workers = calloc(count ? count : 1, sizeof *shop->workers);
    if (!shop->workers) return at_fail(err, AT_NOMEM, NULL, "no memory for the workers");
    shop->worker_count = count ? count : 1;
    enum at_status status = AT_OK;
    for (uint32_t i = 0; i < shop->worker_count && status == AT_OK; i++) {
        shop->workers[i].shop = shop;
        shop->workers[i].index = i;
        status = worker_open(&shop->workers[i], err);
    }
    return status;
}

static enum at_status open_rooms(struct at_shop *shop, struct at_error *err) {
    int signal_number =
        shop->options.watchdog_signal < 0 ? AT_WATCHDOG_SIGNAL : shop->options.watchdog_signal;
    enum at_status status = at_watchdog_start(&shop->watchdog, signal_number, err);
    if (status == AT_OK) status = settings_read(shop, &shop->settings, err);
    if (status == AT_OK)
        (void)at_phone_warm(shop->settings->country); /* else the first number waits for it */
    if (status == AT_OK) status = open_store(shop, err);
    if (status == AT_OK) status = sending_open(shop, err);
    if (status == AT_OK) status = backup_open(shop, err);
    if (status == AT_OK) status = open_workers(shop, err);
    if (status == AT_OK) status = identity_open(shop, err);
    if (status == AT_OK) withheld_open(shop);
    if (status == AT_OK) status = waiting_open(shop, err);
    if (status == AT_OK) status = shopify_open(shop, err);
    if (status == AT_OK) status = catalog_open(shop, err);
    if (status == AT_OK) status = people_open(shop, err);
    if (status == AT_OK) status = learn_open(shop, err);
    if (status == AT_OK) status = rhythm_open(shop, err);
    if (status == AT_OK) status = segments_open(shop, err);
    if (status == AT_OK) status = messages_open(shop, err);
    if (status == AT_OK && decision_log_open(shop) != AT_OK)
        status = at_fail(err, AT_NOMEM, NULL, "out of memory");
    if (status == AT_OK && access_open(shop) != AT_OK) status = at_fail(err, AT_NOMEM, NULL, "out of memory");
    if (status == AT_OK) status = recover(shop, err);
    if (status == AT_OK) status = forgotten_open(shop, err);
    if (status == AT_OK) status = erase_resume(shop, err);
    if (status == AT_OK) {
        learn_publish(shop);
        at_guard_register(shop->watchdog, &shop->back_guard);
        status = scripts_open(shop, err);
        at_guard_unregister(&shop->back_guard);
    }
    if (status == AT_OK) status = back_start(shop, err);
    return status;
}

/* What holds for people is said where a newcomer looks first. */
static void tell_consent(struct at_shop *shop) {
    struct at_bytes text;
    at_bytes_init(&text, 1 << 14);
    at_settings_tell_consent(shop->settings, &text);
    if (!text.failed)
        at_log(at_shop_log(shop), shop->settings->consent.is_declared ? AT_LOG_INFO : AT_LOG_WARN, "consent",
               "%s", text.data);
    at_bytes_clear(&text);
}

static enum at_status start_workers(struct at_shop *shop, struct at_error *err) {
    enum at_status status = AT_OK;
    if (!shop->options.skips_watching) status = scripts_watch(shop, err); /* before the loop runs */
    if (shop->options.host_loop) return status == AT_OK ? worker_begin(&shop->workers[0], err) : status;
    for (uint32_t i = 0; i < shop->worker_count && status == AT_OK; i++)
        status = worker_start(&shop->workers[i], err);
    return status;
}

static void shop_free(struct at_shop *shop) {
    pthread_mutex_destroy(&shop->back_mutex);
    pthread_mutex_destroy(&shop->pressed_mutex);
    pthread_mutex_destroy(&shop->serving_mutex);
    pthread_mutex_destroy(&shop->learned_mutex);
    pthread_mutex_destroy(&shop->closing_mutex);
    pthread_cond_destroy(&shop->back_wake);
    pthread_cond_destroy(&shop->closing_wake);
    if (shop->settings) at_settings_free(shop->settings);
    free(shop->workers);
    free(shop->watch);
    free(shop->folder);
    free(shop->data);
    free(shop);
}

static void close_rooms(struct at_shop *shop);
static void close_loops(struct at_shop *shop);

enum at_status at_shop_open(struct at_shop **out, const struct at_shop_options *options,
                            struct at_error *err) {
    struct at_shop *shop = calloc(1, sizeof *shop);
    static const struct at_log silent = {.fd = -1};
    if (!shop) return at_fail(err, AT_NOMEM, NULL, "no memory for a shop");
    shop->options = *options;
    if (!shop->options.log) shop->options.log = &silent;
    shop->folder = strdup(options->folder);
    shop->data = strdup(options->data);
    pthread_mutex_init(&shop->back_mutex, NULL);
    pthread_mutex_init(&shop->pressed_mutex, NULL);
    pthread_mutex_init(&shop->serving_mutex, NULL);
    pthread_mutex_init(&shop->learned_mutex, NULL);
    pthread_mutex_init(&shop->closing_mutex, NULL);
    pthread_cond_init(&shop->back_wake, NULL);
    pthread_cond_init(&shop->closing_wake, NULL);
    at_ledger_init(&shop->ledger, options->memory_bytes);
    if (options->now_ms) shop->clock.offset_ms = options->now_ms - at_clock_now(NULL);
    enum at_status status = shop->folder && shop->data ? open_rooms(shop, err)
                                                       : at_fail(err, AT_NOMEM, NULL, "no memory for a shop");
    if (status == AT_OK) tell_consent(shop);
    if (status == AT_OK) status = start_workers(shop, err);
    if (status != AT_OK) {
        for (uint32_t i = 0; i < shop->worker_count; i++)
            if (shop->workers[i].has_thread) {
                at_loop_stop(shop->workers[i].loop);
                at_thread_join(shop->workers[i].thread);
                shop->workers[i].has_thread = false;
            }
        if (shop->options.host_loop && shop->worker_count) worker_end(&shop->workers[0]);
        close_rooms(shop);
        close_loops(shop);
        shop_free(shop);
        return status;
    }
    *out = shop;
    return AT_OK;
}

/* ---- close ---- */

void at_worker_stopped(struct at_worker *worker) {
    struct at_shop *shop = worker->shop;
    if (worker->has_thread) at_loop_stop(worker->loop);
    pthread_mutex_lock(&shop->closing_mutex);
    shop->stopped_count++;
    pthread_cond_broadcast(&shop->closing_wake);
    pthread_mutex_unlock(&shop->closing_mutex);
}

/* Nothing comes in any more: what is queued is done, what is derived is written. */
static void close_rooms(struct at_shop *shop) {
    back_stop(shop);
    if (shop->store && shop->learner && shop->segments && shop->people && shop->messages &&
        shop->decision_queue) {
        at_store_drain(shop->store);
        learn_drain(shop);
        decision_log_flush(shop);
        access_flush(shop);
        erase_tend(shop, true);
        if (flush_all(shop) != AT_OK || segments_flush(shop) != AT_OK)
            at_log(at_shop_log(shop), AT_LOG_WARN, "store",
                   "writing behind failed; the log is folded again at the next start");
    }
    for (uint32_t i = 0; i < shop->worker_count; i++) worker_close(&shop->workers[i]);
    segments_close(shop);
    while (shop->serving) {
        struct serving *older = shop->serving->older;
        serving_unref(shop->serving);
        shop->serving = older;
    }
    if (shop->store) at_store_close(shop->store);
    shop->store = NULL;
    backup_close(shop);
    people_close(shop);
    parsers_close(shop);
    learn_close(shop);
    messages_close(shop);
    decision_log_close(shop);
    access_close(shop);
    forgotten_close(shop);
    waiting_close(shop);
    shopify_close(shop);
    identity_close(shop);
    at_map_clear(&shop->held_bad);
    if (shop->baseline) at_baseline_unref(shop->baseline);
    shown_unref(shop->shown);
    if (shop->catalog) at_catalog_free(shop->catalog);
    if (shop->watchdog) at_watchdog_stop(shop->watchdog);
}

static void close_loops(struct at_shop *shop) {
    for (uint32_t i = 0; i < shop->worker_count; i++)
        if (shop->workers[i].loop) at_loop_close(shop->workers[i].loop, NULL, NULL);
}

static void close_owned(struct at_shop *shop) {
    for (uint32_t i = 0; i < shop->worker_count; i++) worker_ask_stop(&shop->workers[i]);
    for (uint32_t i = 0; i < shop->worker_count; i++) at_thread_join(shop->workers[i].thread);
    close_rooms(shop);
    close_loops(shop);
    shop_free(shop);
}

/* Embedded: the loop is closed last, on its thread; its struct outlives the shop. */
static void host_loop_closed(void *arg) {
    struct at_shop *shop = arg;
    void (*on_closed)(void *) = shop->on_closed;
    void *on_closed_arg = shop->on_closed_arg;
    shop_free(shop);
    if (on_closed) on_closed(on_closed_arg);
}

static void rooms_closed(struct at_task *task) {
    struct at_shop *shop = (struct at_shop *)((char *)task - offsetof(struct at_shop, closing_task));
    at_thread_join(shop->back_thread);
    at_loop_close(shop->workers[0].loop, host_loop_closed, shop);
}

static void close_hosted_thread(void *arg) {
    struct at_shop *shop = arg;
    close_rooms(shop);
    shop->closing_task.run = rooms_closed;
    at_loop_post(shop->workers[0].loop, &shop->closing_task);
}

static void close_hosted(struct at_shop *shop) {
    worker_end(&shop->workers[0]);
    back_stop(shop); /* its queue is short: what is in it was asked for before */
    struct at_error err;
    if (at_thread_start(&shop->back_thread, "attune-close", close_hosted_thread, shop, 0, &err) != AT_OK) {
        close_rooms(shop); /* no thread to be had: the host waits */
        at_loop_close(shop->workers[0].loop, host_loop_closed, shop);
    }
}

void at_shop_close(struct at_shop *shop, void (*on_closed)(void *arg), void *arg) {
    shop->on_closed = on_closed;
    shop->on_closed_arg = arg;
    backup_end(shop); /* its request would be waited for */
    if (shop->options.host_loop) return close_hosted(shop);
    close_owned(shop);
    if (on_closed) on_closed(arg);
}
