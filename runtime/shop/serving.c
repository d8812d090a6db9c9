/* SPDX-License-Identifier: Apache-2.0
 *
 * What decisions are made with: one generation and its loaded states, one for each worker. One switch puts
 * another in its place for all workers at once; who began with the old one ends with it. The last few stay
 * warm, so that what was decided by them can still be continued and explained.
 */
#include <stdlib.h>
#include "shop/internal.h"

#define WARM 3 /* servings kept, the current one included */

static void serving_free(struct serving *serving) {
    for (uint32_t i = 0; serving->languages && i < serving->shop->worker_count; i++)
        if (serving->languages[i]) at_language_free(serving->languages[i]);
    if (serving->back) at_language_free(serving->back);
    free(serving->languages);
    if (serving->generation) at_generation_free(serving->generation);
    free(serving);
}

struct serving *serving_new(struct at_shop *shop, struct at_generation *generation, struct at_error *err) {
    struct serving *serving = calloc(1, sizeof *serving);
    if (serving) serving->languages = calloc(shop->worker_count, sizeof *serving->languages);
    if (!serving || !serving->languages) {
        free(serving);
        at_fail(err, AT_NOMEM, NULL, "no memory for the scripts");
        return NULL;
    }
    atomic_init(&serving->refs, 1);
    serving->shop = shop;
    for (uint32_t i = 0; i < shop->worker_count; i++) {
        enum at_status status =
            at_language_new(&serving->languages[i], generation, shop->settings, &shop->back_guard,
                            &shop->ledger.accounts[AT_ACCOUNT_LUA], err);
        if (status != AT_OK) { /* the generation stays the caller's */
            serving_free(serving);
            return NULL;
        }
        at_language_set_guard(serving->languages[i], &shop->workers[i].guard);
        budgets_note_load(shop, serving, serving->languages[i]);
    }
    serving->generation = generation;
    return serving;
}

void serving_ref(struct serving *serving) {
    atomic_fetch_add(&serving->refs, 1);
}

struct burial {
    struct back_task task;
    struct serving *serving;
};
static void bury(struct back_task *task) {
    serving_free(((struct burial *)task)->serving);
    free(task);
}

/* Closing Lua states takes a while: not on a front worker. */
void serving_unref(struct serving *serving) {
    if (!serving || atomic_fetch_sub(&serving->refs, 1) != 1) return;
    struct burial *burial =
        serving->shop->has_back && !serving->shop->is_stopping ? malloc(sizeof *burial) : NULL;
    if (!burial) return serving_free(serving);
    burial->task.run = bury;
    burial->serving = serving;
    back_post(serving->shop, &burial->task);
}

void serving_switch(struct at_shop *shop, struct serving *serving) {
    struct serving *cold = NULL;
    pthread_mutex_lock(&shop->serving_mutex);
    serving->older = shop->serving;
    shop->serving = serving;
    struct serving *at = serving;
    for (int i = 1; i < WARM && at; i++) at = at->older;
    if (at) {
        cold = at->older;
        at->older = NULL;
    }
    atomic_fetch_add_explicit(&shop->serving_version, 1, memory_order_release);
    pthread_mutex_unlock(&shop->serving_mutex);
    while (cold) {
        struct serving *next = cold->older;
        serving_unref(cold);
        cold = next;
    }
}

struct serving *serving_of(struct at_worker *worker) {
    struct at_shop *shop = worker->shop;
    if (atomic_load_explicit(&shop->serving_version, memory_order_acquire) == worker->serving_version)
        return worker->serving;
    struct serving *old = worker->serving;
    pthread_mutex_lock(&shop->serving_mutex);
    worker->serving = shop->serving;
    if (worker->serving) serving_ref(worker->serving);
    worker->serving_version = atomic_load(&shop->serving_version);
    pthread_mutex_unlock(&shop->serving_mutex);
    serving_unref(old);
    return worker->serving;
}

struct serving *serving_find(struct at_shop *shop, uint64_t generation) {
    pthread_mutex_lock(&shop->serving_mutex);
    struct serving *serving = shop->serving;
    while (serving && serving->generation->id != generation) serving = serving->older;
    if (serving) serving_ref(serving);
    pthread_mutex_unlock(&shop->serving_mutex);
    return serving;
}

/* A state whose rule was stopped is spent: a new one takes its place. */
static struct at_language *usable(struct serving *serving, struct at_language **slot,
                                  struct at_guard *guard) {
    struct at_shop *shop = serving->shop;
    if (*slot && !at_language_is_spent(*slot)) return *slot;
    if (*slot) at_language_free(*slot);
    *slot = NULL;
    struct at_error err = {0};
    enum at_status status = at_language_new(slot, serving->generation, shop->settings, guard,
                                            &shop->ledger.accounts[AT_ACCOUNT_LUA], &err);
    if (status != AT_OK) {
        at_log(at_shop_log(shop), AT_LOG_ERROR, "scripts", "a state could not be built again: %s",
               err.message);
        *slot = NULL;
    } else {
        budgets_note_load(shop, serving, *slot);
    }
    return *slot;
}

struct at_language *serving_language(struct serving *serving, struct at_worker *worker) {
    return usable(serving, &serving->languages[worker->index], &worker->guard);
}

struct at_language *serving_back_language(struct serving *serving) {
    return usable(serving, &serving->back, &serving->shop->back_guard);
}

void serving_back_collect(struct serving *serving) {
    if (serving->back && !at_language_is_spent(serving->back)) at_language_collect(serving->back, 500);
}
