/* SPDX-License-Identifier: Apache-2.0
 *
 * When events come faster than they are written behind, what waits for it would grow without end: changed
 * profiles, message ids, events to learn from. Then the next requests with events wait here, before they have
 * taken anything, until the back worker has caught up; after too long they are told to come again.
 */
#include "shop/track.h"

#define LEARN_MAX   100000 /* events that wait to be learned from */
#define WAIT_MAX_NS 10000000000ULL

/* A quarter over: the caches themselves keep to their limit, so what is beyond it waits to be written. */
static bool is_far_over(const struct at_account *account) {
    return at_account_used(account) > account->limit + account->limit / 4;
}

bool pressure_is_on(struct at_shop *shop) {
    return is_far_over(&shop->ledger.accounts[AT_ACCOUNT_PROFILES]) ||
           is_far_over(&shop->ledger.accounts[AT_ACCOUNT_MESSAGES]) || learn_waiting(shop) > LEARN_MAX;
}

void pressure_wait(struct track *track) {
    struct at_shop *shop = track->job->worker->shop;
    track->pressed_ns = at_ticks_ns();
    track->next_pressed = NULL;
    count_add(shop, COUNT_EVENTS_DELAYED, track->count);
    pthread_mutex_lock(&shop->pressed_mutex);
    if (shop->pressed_last)
        shop->pressed_last->next_pressed = track;
    else
        shop->pressed_first = track;
    shop->pressed_last = track;
    pthread_mutex_unlock(&shop->pressed_mutex);
}

/* The back worker, now and then. */
void pressure_relieve(struct at_shop *shop) {
    bool is_on = pressure_is_on(shop);
    uint64_t now = at_ticks_ns();
    pthread_mutex_lock(&shop->pressed_mutex);
    for (struct track *track; (track = shop->pressed_first) != NULL;) {
        bool is_late = now - track->pressed_ns > WAIT_MAX_NS;
        if (is_on && !is_late) break;
        shop->pressed_first = track->next_pressed;
        if (!shop->pressed_first) shop->pressed_last = NULL;
        track->status = is_on ? AT_BUSY : AT_OK;
        worker_hop(track->job->worker, &track->hop);
    }
    pthread_mutex_unlock(&shop->pressed_mutex);
}
