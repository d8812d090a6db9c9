/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads with 8 MiB stacks (Lua's error paths recurse deeply: references say why), named, with all signals
 * blocked but the watchdog's. And a latch, on which one thread waits until another opens it.
 */
#ifndef AT_LOOP_THREAD_H
#define AT_LOOP_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include "base/status.h"

/* name: at most 15 characters, shown by ps -L. watchdog_signal stays unblocked; 0: none. */
enum at_status at_thread_start(pthread_t *out, const char *name, void (*fn)(void *arg), void *arg,
                               int watchdog_signal, struct at_error *err) AT_MUST_CHECK;
void at_thread_join(pthread_t thread);

/* Opened once, by any thread; after at_latch_wait returned it may be cleared. */
struct at_latch {
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    bool is_open;
};
void at_latch_init(struct at_latch *latch);
void at_latch_open(struct at_latch *latch);
void at_latch_wait(struct at_latch *latch);
void at_latch_clear(struct at_latch *latch);

#endif
