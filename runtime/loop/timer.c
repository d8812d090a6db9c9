/* SPDX-License-Identifier: Apache-2.0
 *
 * Timers of a loop: one uv timer each, freed when uv has let go of it. The function may free its own timer.
 */
#include "loop/handle.h"

#include <stdlib.h>

struct at_timer {
    struct at_handle handle; /* first */
    void (*fn)(void *arg);
    void *arg;
};

static void on_timer(uv_timer_t *uv) {
    struct at_timer *timer = uv->data;
    timer->fn(timer->arg);
}

struct at_timer *at_timer_new(struct at_loop *loop, void (*fn)(void *arg), void *arg) {
    struct at_timer *timer = at_handle_new(loop, sizeof(*timer));
    if (!timer) return NULL;
    timer->fn = fn;
    timer->arg = arg;
    uv_timer_init(loop->uv, &timer->handle.uv.timer); /* cannot fail */
    at_handle_add(&timer->handle);
    return timer;
}

void at_timer_start(struct at_timer *timer, uint64_t delay_ms, uint64_t repeat_ms) {
    uv_timer_start(&timer->handle.uv.timer, on_timer, delay_ms, repeat_ms);
}

void at_timer_stop(struct at_timer *timer) {
    uv_timer_stop(&timer->handle.uv.timer);
}

void at_timer_free(struct at_timer *timer) {
    if (timer) at_handle_close(&timer->handle);
}
