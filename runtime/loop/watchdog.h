/* SPDX-License-Identifier: Apache-2.0
 *
 * The deadline half of the limiter: one thread that looks at every armed guard each millisecond and, past its
 * deadline, sends a signal to the guarded thread; the handler calls the guard's expire function *on that
 * thread* (only if the deadline is really past). script/ puts lua_sethook behind expire. No cost while a call
 * runs. With signal 0 (thread sanitizer, hosts that keep their signals) no thread is started and guards never
 * fire: script/ then uses a count hook that reads the deadline itself.
 */
#ifndef AT_LOOP_WATCHDOG_H
#define AT_LOOP_WATCHDOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include "base/status.h"

#define AT_WATCHDOG_SIGNAL (SIGRTMIN + 4) /* the default; <signal.h> */

struct at_watchdog;
/* One per thread that runs scripts; registered from that thread. */
struct at_guard {
    _Atomic uint64_t deadline_ns; /* at_ticks_ns; 0: not armed */
    _Atomic int has_fired;        /* set by expire's side, cleared by arm */
    pthread_t thread;
    void (*expire)(void *arg); /* async-signal-safe; runs in the handler, on the guarded thread */
    void *arg;
    struct at_watchdog *watchdog;
    struct at_guard *next;
};

/* signal_number: a free real-time signal (default SIGRTMIN + 4) or 0. The old handler is put back by stop. */
enum at_status at_watchdog_start(struct at_watchdog **out, int signal_number,
                                 struct at_error *err) AT_MUST_CHECK;
void at_watchdog_stop(struct at_watchdog *watchdog);
int at_watchdog_signal(const struct at_watchdog *watchdog); /* 0: count hook wanted */
void at_guard_register(struct at_watchdog *watchdog, struct at_guard *guard);
void at_guard_unregister(struct at_guard *guard);
void at_guard_arm(struct at_guard *guard, uint64_t deadline_ns); /* who arms has read the clock */
void at_guard_disarm(struct at_guard *guard);

#endif
