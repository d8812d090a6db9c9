/* SPDX-License-Identifier: Apache-2.0
 *
 * The live stream: what happens, told to whom it interests, fire and forget. A message is copied once for
 * each worker that has readers; nobody waits for a reader. What a reader loses is counted, and the reader is
 * told how many as soon as there is room: event "dropped", {"count":17}.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

#define AT_ONCE_MAX 2000 /* messages on their way; more are lost to the readers of that worker */

struct at_subscription {
    struct at_subscription *next;
    struct at_worker *worker;
    at_live_fn *fn;
    void *arg;
    uint64_t lost; /* not told of yet */
};
struct message {
    struct at_task hop;
    struct at_worker *worker;
    char event[32];
    size_t length;
    char json[];
};

bool live_is_watched(const struct at_shop *shop) {
    return atomic_load_explicit(&((struct at_shop *)(uintptr_t)shop)->live_count, memory_order_relaxed) > 0;
}

static void lose(struct at_subscription *at, uint64_t count) {
    at->lost += count;
    count_add(at->worker->shop, COUNT_LIVE_DROPPED, count);
}

static void tell_lost(struct at_subscription *at) {
    char json[40];
    int length = snprintf(json, sizeof json, "{\"count\":%llu}", (unsigned long long)at->lost);
    if (at->fn(at->arg, "dropped", (struct at_text){json, (size_t)length})) at->lost = 0;
}

void live_tell_lost(struct at_worker *worker) {
    if (!worker->subscriptions) return;
    uint64_t never_sent = atomic_exchange(&worker->live_lost, 0);
    for (struct at_subscription *at = worker->subscriptions; at; at = at->next) {
        if (never_sent) lose(at, never_sent);
        if (at->lost) tell_lost(at);
    }
}

static void deliver(struct at_task *hop) {
    struct message *message = (struct message *)hop;
    live_tell_lost(message->worker); /* in its place: before what comes after it */
    for (struct at_subscription *at = message->worker->subscriptions; at; at = at->next)
        if (at->lost || !at->fn(at->arg, message->event, (struct at_text){message->json, message->length}))
            lose(at, 1);
    atomic_fetch_sub(&message->worker->shop->live_on_the_way, 1);
    free(message);
}

void live_send(struct at_shop *shop, const char *event, struct at_text json) {
    for (uint32_t i = 0; i < shop->worker_count; i++) {
        if (!atomic_load_explicit(&shop->workers[i].subscription_count, memory_order_relaxed)) continue;
        struct message *message = atomic_load(&shop->live_on_the_way) < AT_ONCE_MAX
                                      ? malloc(sizeof *message + json.length + 1)
                                      : NULL;
        if (!message) {
            atomic_fetch_add(&shop->workers[i].live_lost, 1);
            continue;
        }
        *message =
            (struct message){.hop = {NULL, deliver}, .worker = &shop->workers[i], .length = json.length};
        snprintf(message->event, sizeof message->event, "%s", event);
        memcpy(message->json, json.data, json.length);
        message->json[json.length] = 0;
        atomic_fetch_add(&shop->live_on_the_way, 1);
        worker_hop(message->worker, &message->hop);
    }
}

struct at_subscription *at_shop_subscribe(struct at_worker *worker, at_live_fn *fn, void *arg) {
    struct at_subscription *subscription = malloc(sizeof *subscription);
    if (!subscription) return NULL;
    *subscription = (struct at_subscription){worker->subscriptions, worker, fn, arg, 0};
    if (!worker->subscriptions) atomic_store(&worker->live_lost, 0); /* of readers who are gone */
    worker->subscriptions = subscription;
    atomic_fetch_add(&worker->subscription_count, 1);
    atomic_fetch_add(&worker->shop->live_count, 1);
    return subscription;
}

void at_subscription_free(struct at_subscription *subscription) {
    struct at_subscription **at = &subscription->worker->subscriptions;
    while (*at != subscription) at = &(*at)->next;
    *at = subscription->next;
    atomic_fetch_sub(&subscription->worker->subscription_count, 1);
    atomic_fetch_sub(&subscription->worker->shop->live_count, 1);
    free(subscription);
}

void live_tell_script(struct at_shop *shop, const char *message) {
    struct at_bytes bytes;
    at_log(at_shop_log(shop), AT_LOG_WARN, "script", "%s", message);
    if (!live_is_watched(shop)) return;
    at_bytes_init(&bytes, 4096);
    struct at_json_out json = at_json_out(&bytes);
    at_json_open(&json, '{');
    at_json_add_string(&json, "message", message);
    at_json_close(&json, '}');
    if (!bytes.failed) live_send(shop, "script_failure", (struct at_text){bytes.data, bytes.length});
    at_bytes_clear(&bytes);
}
