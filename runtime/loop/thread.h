/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads with 8 MiB stacks (Lua's error paths recurse deeply: references say why), named, with all signals
 * blocked but the watchdog's.
 */
#ifndef AT_LOOP_THREAD_H
#define AT_LOOP_THREAD_H

#include <pthread.h>
#include "base/status.h"

/* name: at most 15 characters, shown by ps -L. watchdog_signal stays unblocked; 0: none. */
enum at_status at_thread_start(pthread_t *out, const char *name, void (*fn)(void *arg), void *arg,
                               int watchdog_signal, struct at_error *err) AT_MUST_CHECK;
void at_thread_join(pthread_t thread);

#endif
