/* SPDX-License-Identifier: Apache-2.0
 *
 * The event loop of one thread and its inbox. Other rooms see uv only through this and through at_loop_uv.
 * The inbox is a stack that posters push onto without a lock; the loop takes it whole and turns it round, so
 * that tasks of one poster run in the order they were posted. Whoever pushes onto an empty inbox wakes the
 * loop.
 */
#include "loop/handle.h"

#include <stdlib.h>

static void let_go(struct at_loop *loop) {
    if (--loop->open_count > 0 || !loop->is_closing || loop->is_own) return;
    if (loop->on_closed) loop->on_closed(loop->closed_arg);
    free(loop);
}

static void run_inbox(struct at_loop *loop) {
    struct at_task *newest = atomic_exchange_explicit(&loop->inbox, NULL, memory_order_acquire);
    struct at_task *task = NULL;
    while (newest) {
        struct at_task *older = newest->next;
        newest->next = task;
        task = newest;
        newest = older;
    }
    while (task) { /* a task may free itself while it runs */
        struct at_task *next = task->next;
        task->run(task);
        task = next;
    }
}

static void on_wake(uv_async_t *wake) {
    struct at_loop *loop = wake->data;
    run_inbox(loop);
    if (atomic_load(&loop->is_stopping) && loop->is_own) uv_stop(loop->uv);
}

/* ---- the end of a turn: behind the callbacks of a poll, and behind those of timers before the next ---- */

static void end_turn(struct at_loop *loop) {
    struct at_task *task = loop->turn;
    loop->turn = NULL;
    while (task) {
        struct at_task *next = task->next;
        task->run(task);
        task = next;
    }
}

static void on_check(uv_check_t *check) {
    end_turn(check->data);
}

static void on_prepare(uv_prepare_t *prepare) {
    end_turn(prepare->data);
}

void at_loop_at_turn_end(struct at_loop *loop, struct at_task *task) {
    task->next = loop->turn;
    loop->turn = task;
}

static void watch_turns(struct at_loop *loop) {
    uv_check_init(loop->uv, &loop->check); /* cannot fail, nor can their start */
    uv_prepare_init(loop->uv, &loop->prepare);
    loop->check.data = loop->prepare.data = loop;
    uv_check_start(&loop->check, on_check);
    uv_prepare_start(&loop->prepare, on_prepare);
    uv_unref((uv_handle_t *)&loop->check);
    uv_unref((uv_handle_t *)&loop->prepare);
}

static enum at_status fail_uv(struct at_error *err, const char *what, int code) {
    return at_fail(err, code == UV_ENOMEM ? AT_NOMEM : AT_IO, NULL, "%s: %s", what, uv_strerror(code));
}

enum at_status at_loop_new(struct at_loop **out, struct uv_loop_s *host, struct at_error *err) {
    struct at_loop *loop = calloc(1, sizeof(*loop));
    if (!loop) return at_fail(err, AT_NOMEM, NULL, "no memory for an event loop");
    loop->is_own = host == NULL;
    loop->uv = host ? host : &loop->own;
    atomic_store(&loop->thread, pthread_self());
    int code = host ? 0 : uv_loop_init(&loop->own);
    if (code) {
        free(loop);
        return fail_uv(err, "cannot make an event loop (are file descriptors left? see ulimit -n)", code);
    }
    code = uv_async_init(loop->uv, &loop->wake, on_wake);
    if (code) {
        if (loop->is_own) uv_loop_close(loop->uv);
        free(loop);
        return fail_uv(err, "cannot make the wake-up of an event loop (see ulimit -n)", code);
    }
    loop->wake.data = loop;
    watch_turns(loop);
    loop->open_count = 3;
    *out = loop;
    return AT_OK;
}

static void on_part_closed(uv_handle_t *handle) {
    let_go(handle->data);
}

/* On an own loop nobody else may still hold a handle; what was forgotten must not keep it from ending. */
static void close_forgotten(uv_handle_t *handle, void *arg) {
    (void)arg;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static void finish_own(struct at_loop *loop) {
    uv_run(loop->uv, UV_RUN_NOWAIT); /* owners that wait for their own close callbacks come first */
    uv_walk(loop->uv, close_forgotten, NULL);
    while (uv_run(loop->uv, UV_RUN_DEFAULT)) {}
    AT_ASSERT(uv_loop_close(loop->uv) == 0);
    if (loop->on_closed) loop->on_closed(loop->closed_arg);
    free(loop);
}

void at_loop_close(struct at_loop *loop, void (*on_closed)(void *arg), void *arg) {
    if (!loop) return;
    loop->is_closing = true;
    loop->on_closed = on_closed;
    loop->closed_arg = arg;
    run_inbox(loop); /* a posted task is a promise */
    end_turn(loop);
    struct at_handle *next;
    for (struct at_handle *handle = loop->handles; handle; handle = next) {
        next = handle->next;
        at_handle_close(handle);
    }
    uv_close((uv_handle_t *)&loop->wake, on_part_closed);
    uv_close((uv_handle_t *)&loop->check, on_part_closed);
    uv_close((uv_handle_t *)&loop->prepare, on_part_closed);
    if (loop->is_own) finish_own(loop);
}

struct uv_loop_s *at_loop_uv(struct at_loop *loop) {
    return loop->uv;
}

void at_loop_run(struct at_loop *loop) {
    AT_ASSERT(loop->is_own);
    atomic_store(&loop->thread, pthread_self());
    while (!atomic_load(&loop->is_stopping)) uv_run(loop->uv, UV_RUN_DEFAULT);
    atomic_store(&loop->is_stopping, false);
}

void at_loop_stop(struct at_loop *loop) {
    atomic_store(&loop->is_stopping, true);
    uv_async_send(&loop->wake);
}

/* first … last are newest first. */
static void push(struct at_loop *loop, struct at_task *first, struct at_task *last) {
    struct at_task *head = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    do {
        last->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&loop->inbox, &head, first, memory_order_release,
                                                    memory_order_relaxed));
    if (!head) uv_async_send(&loop->wake);
}

void at_loop_post(struct at_loop *loop, struct at_task *task) {
    push(loop, task, task);
}

void at_loop_post_all(struct at_loop *loop, struct at_task *first, struct at_task *last) {
    struct at_task *reversed = NULL, *task = first, *end = last->next;
    while (task != end) {
        struct at_task *next = task->next;
        task->next = reversed;
        reversed = task;
        task = next;
    }
    push(loop, last, first);
}

bool at_loop_is_here(const struct at_loop *loop) {
    return pthread_equal(atomic_load(&loop->thread), pthread_self()) != 0;
}

void *at_handle_new(struct at_loop *loop, size_t size) {
    struct at_handle *handle = calloc(1, size);
    if (handle) handle->loop = loop;
    return handle;
}

void at_handle_add(struct at_handle *handle) {
    struct at_loop *loop = handle->loop;
    handle->uv.any.data = handle;
    handle->next = loop->handles;
    if (handle->next) handle->next->previous = handle;
    loop->handles = handle;
    loop->open_count++;
}

static void on_handle_closed(uv_handle_t *uv) {
    struct at_handle *handle = uv->data;
    struct at_loop *loop = handle->loop;
    free(handle);
    let_go(loop);
}

void at_handle_close(struct at_handle *handle) {
    if (!handle) return;
    if (handle->previous)
        handle->previous->next = handle->next;
    else
        handle->loop->handles = handle->next;
    if (handle->next) handle->next->previous = handle->previous;
    uv_close(&handle->uv.any, on_handle_closed);
}
