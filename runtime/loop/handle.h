/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to loop/: the loop's struct, and what timers, watches and signals have in common, one uv handle
 * that hangs in its loop's list until uv has let go of it. The struct that begins with an at_handle is freed
 * by its close callback and nowhere else.
 */
#ifndef AT_LOOP_HANDLE_H
#define AT_LOOP_HANDLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <uv.h>
#include "loop/loop.h"

struct at_handle {
    union {
        uv_handle_t any;
        uv_timer_t timer;
        uv_fs_event_t watch;
        uv_signal_t signal;
    } uv;
    struct at_loop *loop;
    struct at_handle *previous, *next;
};

struct at_loop {
    uv_loop_t *uv;
    uv_loop_t own; /* used when is_own */
    uv_async_t wake;
    uv_check_t check;
    uv_prepare_t prepare;
    struct at_task *turn;            /* to be run when this turn is over */
    _Atomic(struct at_task *) inbox; /* newest first */
    atomic_bool is_stopping;
    _Atomic pthread_t thread;
    struct at_handle *handles;
    size_t open_count; /* uv handles not yet let go of, the loop's own included */
    bool is_own, is_closing;
    void (*on_closed)(void *arg);
    void *closed_arg;
};

/* Zeroed memory of that size, whose first member is an at_handle. NULL: out of memory. */
void *at_handle_new(struct at_loop *loop, size_t size);
/* Its uv_*_init went well: put it into the loop's list. */
void at_handle_add(struct at_handle *handle);
/* Close it; the memory goes when uv has let go. NULL is fine. */
void at_handle_close(struct at_handle *handle);

#endif
