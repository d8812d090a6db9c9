/* SPDX-License-Identifier: Apache-2.0
 *
 * Who looked at or changed which person, through which key: noted on the front workers in a queue, written by
 * the back worker a moment later, kept for a year. The queue is bounded; what it has no room for is counted
 * and the log says so, for an audit with holes must show them.
 */
#include <stdlib.h>
#include "shop/internal.h"

#define QUEUE_MAX       65536
#define A_UNIT          1000
#define EXPIRE_EVERY_MS (10 * AT_MINUTE_MS)

struct noted {
    int64_t at_ms;
    const char *author, *action; /* both live as long as the shop */
    uint64_t person;
};
struct access_queue {
    pthread_mutex_t mutex;
    struct noted *notes; /* a ring */
    uint32_t first, count;
    bool has_told;
    int64_t expired_ms;
};

enum at_status access_open(struct at_shop *shop) {
    struct access_queue *queue = shop->access = calloc(1, sizeof *queue);
    if (!queue) return AT_NOMEM;
    pthread_mutex_init(&queue->mutex, NULL);
    queue->notes = calloc(QUEUE_MAX, sizeof *queue->notes);
    return queue->notes ? AT_OK : AT_NOMEM;
}

void access_close(struct at_shop *shop) {
    if (!shop->access) return;
    pthread_mutex_destroy(&shop->access->mutex);
    free(shop->access->notes);
    free(shop->access);
    shop->access = NULL;
}

void access_note(struct at_job *job, const char *action, uint64_t person) {
    struct at_shop *shop = job->worker->shop;
    struct access_queue *queue = shop->access;
    bool is_full, tells = false;
    pthread_mutex_lock(&queue->mutex);
    is_full = queue->count == QUEUE_MAX;
    if (!is_full)
        queue->notes[(queue->first + queue->count++) % QUEUE_MAX] =
            (struct noted){at_shop_now(shop), job->source ? job->source : "default", action, person};
    else {
        tells = !queue->has_told;
        queue->has_told = true;
    }
    pthread_mutex_unlock(&queue->mutex);
    count_add(shop, is_full ? COUNT_ACCESS_LOST : COUNT_ACCESS, 1);
    if (tells)
        at_log(at_shop_log(shop), AT_LOG_ERROR, "privacy",
               "people are read faster than it can be noted who reads them: attune_access_lost_total counts");
}

static uint32_t take_some(struct access_queue *queue, struct noted *out) {
    uint32_t count = 0;
    pthread_mutex_lock(&queue->mutex);
    for (; queue->count && count < A_UNIT; count++) {
        out[count] = queue->notes[queue->first];
        queue->first = (queue->first + 1) % QUEUE_MAX;
        queue->count--;
    }
    pthread_mutex_unlock(&queue->mutex);
    return count;
}

static bool add_rows(struct at_unit *unit, struct at_arena *arena, const struct noted *notes,
                     uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        struct at_write *write = at_unit_write(unit, arena, AT_WRITE_ACCESS);
        if (!write) return false;
        write->access = (struct at_access_row){notes[i].at_ms, at_text_of(notes[i].author),
                                               at_text_of(notes[i].action), notes[i].person};
    }
    return true;
}

static bool is_expiry_due(struct at_shop *shop) {
    return at_shop_now(shop) - shop->access->expired_ms >= EXPIRE_EVERY_MS;
}

static bool add_expiry(struct at_shop *shop, struct at_unit *unit, struct at_arena *arena) {
    struct at_write *write = at_unit_write(unit, arena, AT_WRITE_ACCESS_EXPIRE);
    if (!write) return false;
    write->number = (uint64_t)(at_shop_now(shop) - ACCESS_KEPT_MS);
    shop->access->expired_ms = at_shop_now(shop);
    return true;
}

/* False: nothing is left, or it did not work. */
static bool flush_some(struct at_shop *shop, struct noted *notes) {
    struct at_arena arena;
    struct at_unit unit = {0};
    uint32_t count = take_some(shop->access, notes);
    bool expires = is_expiry_due(shop);
    if (!count && !expires) return false;
    at_arena_init(&arena, SIZE_MAX >> 1);
    bool is_ok = add_rows(&unit, &arena, notes, count) && (!expires || add_expiry(shop, &unit, &arena)) &&
                 commit_and_wait(shop, &unit, true) == AT_OK;
    at_arena_clear(&arena);
    if (!is_ok) count_add(shop, COUNT_ACCESS_LOST, count);
    return is_ok;
}

static bool has_notes(struct access_queue *queue) {
    pthread_mutex_lock(&queue->mutex);
    bool has = queue->count > 0;
    pthread_mutex_unlock(&queue->mutex);
    return has;
}

void access_flush(struct at_shop *shop) {
    if (!has_notes(shop->access) && !is_expiry_due(shop)) return;
    struct noted *notes = malloc(A_UNIT * sizeof *notes);
    while (notes && flush_some(shop, notes)) {}
    free(notes);
}
