/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of decisions: a bounded queue that drops its oldest (counted) rather than delay anybody; the back
 * worker writes it through the lane behind. Kept for 30 days.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/internal.h"

#define QUEUE_MAX       20000
#define QUEUE_BYTES     (32u << 20)
#define A_UNIT          500
#define EXPIRE_EVERY_MS AT_HOUR_MS

struct waiting {
    struct waiting *next;
    char id[AT_ULID_SIZE];
    int64_t at_ms;
    uint64_t person;
    size_t length;
    char body[];
};
struct decision_queue {
    pthread_mutex_t mutex;
    struct waiting *first, *last;
    size_t count, bytes;
    int64_t expired_ms;
};

static struct decision_queue *queue_of(struct at_shop *shop) {
    return shop->decision_queue;
}

enum at_status decision_log_open(struct at_shop *shop) {
    shop->decision_queue = calloc(1, sizeof *shop->decision_queue);
    if (!shop->decision_queue) return AT_NOMEM;
    pthread_mutex_init(&shop->decision_queue->mutex, NULL);
    return AT_OK;
}

static struct waiting *pop(struct decision_queue *queue) {
    struct waiting *first = queue->first;
    if (!first) return NULL;
    queue->first = first->next;
    if (!queue->first) queue->last = NULL;
    queue->count--;
    queue->bytes -= first->length;
    return first;
}

void decision_log_close(struct at_shop *shop) {
    struct decision_queue *queue = queue_of(shop);
    if (!queue) return;
    for (struct waiting *one; (one = pop(queue));) free(one);
    pthread_mutex_destroy(&queue->mutex);
    free(queue);
    shop->decision_queue = NULL;
}

void decision_log(struct at_shop *shop, const char *id, int64_t at_ms, uint64_t person, struct at_text body) {
    struct decision_queue *queue = queue_of(shop);
    struct waiting *one = malloc(sizeof *one + body.length + 1), *dropped = NULL;
    uint64_t drops = 0;
    if (!one) return count_add(shop, COUNT_DECISIONS_DROPPED, 1);
    *one = (struct waiting){.at_ms = at_ms, .person = person, .length = body.length};
    memcpy(one->id, id, sizeof one->id);
    memcpy(one->body, body.data, body.length);
    pthread_mutex_lock(&queue->mutex);
    while (queue->count && (queue->count >= QUEUE_MAX || queue->bytes + body.length > QUEUE_BYTES)) {
        struct waiting *oldest = pop(queue);
        oldest->next = dropped;
        dropped = oldest;
        drops++;
    }
    if (queue->last)
        queue->last->next = one;
    else
        queue->first = one;
    queue->last = one;
    queue->count++;
    queue->bytes += body.length;
    pthread_mutex_unlock(&queue->mutex);
    if (drops) count_add(shop, COUNT_DECISIONS_DROPPED, drops);
    while (dropped) {
        struct waiting *next = dropped->next;
        free(dropped);
        dropped = next;
    }
}

static struct waiting *take_some(struct decision_queue *queue, uint32_t *count) {
    struct waiting *first = NULL, **end = &first;
    *count = 0;
    pthread_mutex_lock(&queue->mutex);
    for (struct waiting *one; *count < A_UNIT && (one = pop(queue)); (*count)++) {
        one->next = NULL;
        *end = one;
        end = &one->next;
    }
    pthread_mutex_unlock(&queue->mutex);
    return first;
}

static bool add_rows(struct at_shop *shop, struct at_unit *unit, struct at_arena *arena,
                     const struct waiting *first) {
    for (const struct waiting *one = first; one; one = one->next) {
        if (forgotten_has_person(&shop->forgotten, one->person)) continue; /* erased meanwhile */
        struct at_write *write = at_unit_write(unit, arena, AT_WRITE_DECISION);
        if (!write) return false;
        write->decision = (struct at_decision_row){.id = at_text_of(one->id),
                                                   .at_ms = one->at_ms,
                                                   .person = one->person,
                                                   .body = {one->body, one->length}};
    }
    return true;
}

static bool add_expiry(struct at_shop *shop, struct at_unit *unit, struct at_arena *arena) {
    int64_t now_ms = at_shop_now(shop);
    if (now_ms - queue_of(shop)->expired_ms < EXPIRE_EVERY_MS) return true;
    struct at_write *write = at_unit_write(unit, arena, AT_WRITE_DECISIONS_EXPIRE);
    if (!write) return false;
    write->number = (uint64_t)(now_ms - DECISIONS_KEPT_MS);
    queue_of(shop)->expired_ms = now_ms;
    return true;
}

void decision_log_flush(struct at_shop *shop) {
    uint32_t count;
    for (struct waiting *first; (first = take_some(queue_of(shop), &count));) {
        struct at_arena arena;
        struct at_unit unit = {0};
        at_arena_init(&arena, SIZE_MAX >> 1);
        bool is_ok = add_rows(shop, &unit, &arena, first) && add_expiry(shop, &unit, &arena) &&
                     commit_and_wait(shop, &unit, true) == AT_OK;
        count_add(shop, is_ok ? COUNT_DECISIONS_LOGGED : COUNT_DECISIONS_DROPPED, count);
        while (first) {
            struct waiting *next = first->next;
            free(first);
            first = next;
        }
        at_arena_clear(&arena);
        if (!is_ok) return;
    }
}
