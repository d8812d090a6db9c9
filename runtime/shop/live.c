/* SPDX-License-Identifier: Apache-2.0
 *
 * The live stream: what happens, told to whom it interests, fire and forget. A message is copied once and
 * visits every worker; nobody waits for a reader.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

#define AT_ONCE_MAX 2000 /* messages on their way; more are dropped and counted */

struct at_subscription {
    struct at_subscription *next;
    struct at_worker *worker;
    bool (*fn)(void *arg, const char *event, struct at_text json);
    void *arg;
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

static void deliver(struct at_task *hop) {
    struct message *message = (struct message *)hop;
    struct at_subscription *next;
    for (struct at_subscription *at = message->worker->subscriptions; at; at = next) {
        next = at->next; /* fn may end its own subscription */
        if (!at->fn(at->arg, message->event, (struct at_text){message->json, message->length}))
            count_add(message->worker->shop, COUNT_LIVE_DROPPED, 1);
    }
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
            count_add(shop, COUNT_LIVE_DROPPED, 1);
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

struct at_subscription *at_shop_subscribe(struct at_worker *worker,
                                          bool (*fn)(void *arg, const char *event, struct at_text json),
                                          void *arg) {
    struct at_subscription *subscription = malloc(sizeof *subscription);
    if (!subscription) return NULL;
    *subscription = (struct at_subscription){worker->subscriptions, worker, fn, arg};
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
