/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread's event loop: a uv loop, an inbox other threads post tasks to, timers, directory watches.
 * Owned by its thread; only at_loop_post and at_loop_stop may be called from others. uv.h stays in loop/ and
 * net/.
 */
#ifndef AT_LOOP_LOOP_H
#define AT_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include "base/status.h"

struct uv_loop_s;
struct at_loop;

/* Intrusive: lives in the poster's own struct, must stay valid until run. */
struct at_task {
    struct at_task *next;
    void (*run)(struct at_task *task);
};

/* host NULL: own uv loop. Else hang on the host's loop (embedding): at_loop_run is then not used. */
enum at_status at_loop_new(struct at_loop **out, struct uv_loop_s *host, struct at_error *err) AT_MUST_CHECK;
/* Closes every handle; an own loop is run until they are closed. On a host loop the closing is asynchronous:
 * on_closed(arg) is called on that loop when the last handle has closed, then the struct is freed. */
void at_loop_close(struct at_loop *loop, void (*on_closed)(void *arg), void *arg);
struct uv_loop_s *at_loop_uv(struct at_loop *loop);

void at_loop_run(struct at_loop *loop);  /* until at_loop_stop */
void at_loop_stop(struct at_loop *loop); /* any thread */
/* Any thread, lock-free: task->run(task) on the loop's thread, in post order of one poster. One wake-up for
 * many posts. */
void at_loop_post(struct at_loop *loop, struct at_task *task);
/* Post a chain linked through next (first … last) with one wake-up. */
void at_loop_post_all(struct at_loop *loop, struct at_task *first, struct at_task *last);
/* On the loop's thread: task->run(task) when this turn of the loop is over, before it sleeps. */
void at_loop_at_turn_end(struct at_loop *loop, struct at_task *task);
/* True when called on the loop's own thread. */
bool at_loop_is_here(const struct at_loop *loop);

/* Timers: fn(arg) on the loop after delay, then every repeat_ms if not 0. Free stops it. */
struct at_timer;
struct at_timer *at_timer_new(struct at_loop *loop, void (*fn)(void *arg),
                              void *arg); /* NULL: out of memory */
void at_timer_start(struct at_timer *timer, uint64_t delay_ms, uint64_t repeat_ms);
void at_timer_stop(struct at_timer *timer);
void at_timer_free(struct at_timer *timer);

/* Watches one directory (not recursive): fn(arg) after anything in it changes; says only "look again". */
struct at_watch;
enum at_status at_watch_new(struct at_watch **out, struct at_loop *loop, const char *directory,
                            void (*fn)(void *arg), void *arg, struct at_error *err) AT_MUST_CHECK;
void at_watch_free(struct at_watch *watch);

/* Signals as loop events: fn(arg, signum). Used by cli/ only, never by the library. */
struct at_signal;
enum at_status at_signal_new(struct at_signal **out, struct at_loop *loop, int signum,
                             void (*fn)(void *arg, int signum), void *arg,
                             struct at_error *err) AT_MUST_CHECK;
void at_signal_free(struct at_signal *signal);

#endif
