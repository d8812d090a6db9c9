/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting a named thread with a deep stack and a quiet signal mask: signals of the process belong to the
 * main thread (or the host's), so the starter blocks all of them while the child is born and the child opens
 * only the watchdog's. Faults stay open: a blocked SIGSEGV would hide where it happened.
 */
#include "loop/thread.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define STACK_BYTES ((size_t)8 * 1024 * 1024)

struct start {
    void (*fn)(void *arg);
    void *arg;
    int watchdog_signal;
    char name[16];
};

static void *begin(void *data) {
    struct start start = *(struct start *)data;
    free(data);
    pthread_setname_np(pthread_self(), start.name);
    if (start.watchdog_signal) {
        sigset_t open;
        sigemptyset(&open);
        sigaddset(&open, start.watchdog_signal);
        pthread_sigmask(SIG_UNBLOCK, &open, NULL);
    }
    start.fn(start.arg);
    return NULL;
}

static void fill_quiet(sigset_t *set) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
    sigfillset(set);
    for (size_t i = 0; i < AT_LENGTH(faults); i++) sigdelset(set, faults[i]);
}

static int create(pthread_t *out, struct start *start) {
    pthread_attr_t attributes;
    sigset_t quiet, before;
    int code = pthread_attr_init(&attributes);
    if (code) return code;
    code = pthread_attr_setstacksize(&attributes, STACK_BYTES);
    fill_quiet(&quiet);
    pthread_sigmask(SIG_SETMASK, &quiet, &before);
    if (!code) code = pthread_create(out, &attributes, begin, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return code;
}

enum at_status at_thread_start(pthread_t *out, const char *name, void (*fn)(void *arg), void *arg,
                               int watchdog_signal, struct at_error *err) {
    struct start *start = malloc(sizeof(*start));
    if (!start) return at_fail(err, AT_NOMEM, NULL, "no memory to start the thread %s", name);
    *start = (struct start){.fn = fn, .arg = arg, .watchdog_signal = watchdog_signal};
    strncpy(start->name, name, sizeof(start->name) - 1);
    int code = create(out, start);
    if (!code) return AT_OK;
    free(start);
    return at_fail(err, AT_NOMEM, NULL, "cannot start the thread %s: %s (see ulimit -u and ulimit -v)", name,
                   strerror(code));
}

void at_thread_join(pthread_t thread) {
    int code = pthread_join(thread, NULL);
    AT_ASSERT(code == 0);
}

void at_latch_init(struct at_latch *latch) {
    pthread_mutex_init(&latch->mutex, NULL);
    pthread_cond_init(&latch->opened, NULL);
    latch->is_open = false;
}

/* Signals under the mutex: the waiter may clear the latch as soon as it is given back. */
void at_latch_open(struct at_latch *latch) {
    pthread_mutex_lock(&latch->mutex);
    latch->is_open = true;
    pthread_cond_signal(&latch->opened);
    pthread_mutex_unlock(&latch->mutex);
}

void at_latch_wait(struct at_latch *latch) {
    pthread_mutex_lock(&latch->mutex);
    while (!latch->is_open) pthread_cond_wait(&latch->opened, &latch->mutex);
    pthread_mutex_unlock(&latch->mutex);
}

void at_latch_clear(struct at_latch *latch) {
    pthread_cond_destroy(&latch->opened);
    pthread_mutex_destroy(&latch->mutex);
}
