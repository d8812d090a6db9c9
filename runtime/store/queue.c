/* SPDX-License-Identifier: Apache-2.0
 *
 * The commit queue: two lanes in, one thread out. Callers hold the lock for pointer work only; the commit
 * thread takes a lane whole. Room is bounded by bytes and by the ledger; a lane that is empty takes any unit,
 * so that none is refused for ever.
 */
#include "store/internal.h"

#include <string.h>

enum at_status at_queue_init(struct at_queue *queue, struct at_account *account) {
    memset(queue, 0, sizeof(*queue));
    queue->account = account;
    for (size_t i = 0; i < AT_LANE_COUNT; i++) queue->lanes[i].max_bytes = account->limit / 2;
    atomic_init(&queue->next_seq, 1);
    if (pthread_mutex_init(&queue->lock, NULL) != 0) return AT_NOMEM;
    if (pthread_cond_init(&queue->filled, NULL) != 0) {
        pthread_mutex_destroy(&queue->lock);
        return AT_NOMEM;
    }
    if (pthread_cond_init(&queue->left, NULL) != 0) {
        pthread_cond_destroy(&queue->filled);
        pthread_mutex_destroy(&queue->lock);
        return AT_NOMEM;
    }
    return AT_OK;
}

void at_queue_clear(struct at_queue *queue) {
    pthread_cond_destroy(&queue->left);
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->lock);
}

/* What a unit takes whatever its owner said: a queue of empty units is bounded too. */
static size_t room_of(const struct at_unit *unit) {
    return unit->bytes + sizeof(*unit);
}

static bool draw_room(struct at_queue *queue, struct at_lane *lane, size_t bytes) {
    if (lane->unit_count == 0) {
        at_account_force(queue->account, bytes);
        return true;
    }
    if (bytes > lane->max_bytes || lane->bytes > lane->max_bytes - bytes) return false;
    return at_account_draw(queue->account, bytes);
}

/* Units of the front lane wait for the end of the turns that bring them. */
static bool is_front_ready(const struct at_queue *queue) {
    return queue->lanes[AT_LANE_FRONT].first && (queue->turns == 0 || queue->drains || queue->is_closing);
}

static void wake_if_ready(struct at_queue *queue) {
    if (!queue->is_asleep || (!is_front_ready(queue) && !queue->lanes[AT_LANE_BEHIND].first)) return;
    queue->is_asleep = false;
    pthread_cond_signal(&queue->filled);
}

void at_store_turn_begin(struct at_store *store) {
    pthread_mutex_lock(&store->queue.lock);
    store->queue.turns++;
    pthread_mutex_unlock(&store->queue.lock);
}

void at_store_turn_end(struct at_store *store) {
    pthread_mutex_lock(&store->queue.lock);
    store->queue.turns--;
    wake_if_ready(&store->queue);
    pthread_mutex_unlock(&store->queue.lock);
}

static enum at_status enqueue(struct at_queue *queue, enum at_lane_name which, struct at_unit *unit) {
    struct at_lane *lane = &queue->lanes[which];
    enum at_status status = AT_OK;
    pthread_mutex_lock(&queue->lock);
    if (queue->is_closing) {
        status = AT_IO;
    } else if (!draw_room(queue, lane, room_of(unit))) {
        status = AT_BUSY;
    } else {
        uint64_t seq = atomic_load_explicit(&queue->next_seq, memory_order_relaxed);
        unit->first_seq = seq;
        atomic_store_explicit(&queue->next_seq, seq + unit->event_count, memory_order_release);
        unit->next = NULL;
        unit->status = AT_OK;
        if (unit->sequenced) unit->sequenced(unit);
        if (lane->last)
            lane->last->next = unit;
        else
            lane->first = unit;
        lane->last = unit;
        lane->unit_count++;
        lane->bytes += room_of(unit);
        lane->entered_count++;
        wake_if_ready(queue);
    }
    pthread_mutex_unlock(&queue->lock);
    return status;
}

enum at_status at_store_commit(struct at_store *store, struct at_unit *unit) {
    return enqueue(&store->queue, AT_LANE_FRONT, unit);
}

enum at_status at_store_commit_behind(struct at_store *store, struct at_unit *unit) {
    AT_ASSERT(unit->event_count == 0);
    return enqueue(&store->queue, AT_LANE_BEHIND, unit);
}

uint64_t at_store_next_seq(struct at_store *store) {
    return atomic_load_explicit(&store->queue.next_seq, memory_order_acquire);
}

void at_queue_take(struct at_queue *queue, struct at_work *work, bool may_wait) {
    bool is_empty;
    pthread_mutex_lock(&queue->lock);
    for (;;) {
        is_empty = true;
        for (size_t i = 0; i < AT_LANE_COUNT; i++) {
            struct at_lane *lane = &queue->lanes[i];
            if (!work->lanes[i] && (i != AT_LANE_FRONT || is_front_ready(queue))) {
                work->lanes[i] = lane->first;
                lane->first = lane->last = NULL;
            }
            if (work->lanes[i]) is_empty = false;
        }
        if (!is_empty || queue->is_poked || queue->is_closing || !may_wait) break;
        queue->is_asleep = true;
        pthread_cond_wait(&queue->filled, &queue->lock);
    }
    queue->is_asleep = queue->is_poked = false;
    work->is_over = queue->is_closing && is_empty;
    pthread_mutex_unlock(&queue->lock);
}

void at_queue_free(struct at_queue *queue, enum at_lane_name which, size_t units, size_t bytes) {
    bytes += units * sizeof(struct at_unit);
    pthread_mutex_lock(&queue->lock);
    queue->lanes[which].unit_count -= units;
    queue->lanes[which].bytes -= bytes;
    pthread_mutex_unlock(&queue->lock);
    at_account_give(queue->account, bytes);
}

void at_queue_leave(struct at_queue *queue, enum at_lane_name which, size_t units) {
    pthread_mutex_lock(&queue->lock);
    queue->lanes[which].left_count += units;
    pthread_cond_broadcast(&queue->left);
    pthread_mutex_unlock(&queue->lock);
}

void at_queue_poke(struct at_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    queue->is_poked = true;
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

void at_queue_close(struct at_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    queue->is_closing = true;
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

/* Each lane leaves in the order it was entered, so the counts say who is out. */
void at_queue_drain(struct at_queue *queue) {
    uint64_t goals[AT_LANE_COUNT];
    pthread_mutex_lock(&queue->lock);
    queue->drains++; /* the turn of whoever waits here would not end */
    wake_if_ready(queue);
    for (size_t i = 0; i < AT_LANE_COUNT; i++) goals[i] = queue->lanes[i].entered_count;
    for (size_t i = 0; i < AT_LANE_COUNT; i++)
        while (queue->lanes[i].left_count < goals[i]) pthread_cond_wait(&queue->left, &queue->lock);
    queue->drains--;
    pthread_mutex_unlock(&queue->lock);
}
