/* SPDX-License-Identifier: Apache-2.0
 *
 * The watchdog thread. script/ arms a guard around every call into Lua: two stores and a load. The thread
 * looks once a millisecond while guards are in use and sleeps on a condition otherwise; past a deadline it
 * queues the signal to the guarded thread with the guard's address, again each tick until the guard has fired
 * or is disarmed. The handler trusts nothing but the guard's own deadline, so that a late signal does
 * nothing. Invariant: signals are queued only under the lock, only for registered guards; unregistering takes
 * the guard out under the lock and then swallows what is still pending, so no handler ever sees a guard that
 * is gone.
 */
#include "loop/watchdog.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/time.h"
#include "loop/thread.h"

#define TICK_NS 1000000L
/* Ticks without an armed guard before it sleeps: waking it costs the guarded thread a system call. */
#define PATIENCE_TICKS 100
#define SIGNALS_MAX    65

struct at_watchdog {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    atomic_bool is_awake;
    bool is_stopping; /* under the lock, as guards */
    struct at_guard *guards;
    int signal_number;
};

/* Signal dispositions belong to the process, so this is too: who shares a number (two shops in one process),
 * and what stood there before the first. */
static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    int users;
    struct sigaction before;
} installed[SIGNALS_MAX];

static bool is_past(const struct at_guard *guard) {
    uint64_t deadline = atomic_load(&guard->deadline_ns);
    return deadline && at_ticks_ns() >= deadline;
}

static void on_signal(int signum, siginfo_t *info, void *context) {
    int saved = errno;
    (void)signum;
    (void)context;
    struct at_guard *guard = info->si_value.sival_ptr;
    bool is_ours = info->si_code == SI_QUEUE && info->si_pid == getpid() && guard;
    if (is_ours && is_past(guard) && !atomic_exchange(&guard->has_fired, 1)) guard->expire(guard->arg);
    errno = saved;
}

static int install(int number) {
    int code = 0;
    pthread_mutex_lock(&install_lock);
    if (installed[number].users == 0) {
        struct sigaction action = {.sa_sigaction = on_signal,
                                   .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
        sigfillset(&action.sa_mask);
        if (sigaction(number, &action, &installed[number].before)) code = errno;
    }
    if (!code) installed[number].users++;
    pthread_mutex_unlock(&install_lock);
    return code;
}

static void uninstall(int number) {
    pthread_mutex_lock(&install_lock);
    if (--installed[number].users == 0) sigaction(number, &installed[number].before, NULL);
    pthread_mutex_unlock(&install_lock);
}

/* Under the lock. True if some guard is armed. */
static bool look(struct at_watchdog *watchdog) {
    bool is_any_armed = false;
    for (struct at_guard *guard = watchdog->guards; guard; guard = guard->next) {
        if (!atomic_load(&guard->deadline_ns)) continue;
        is_any_armed = true;
        if (!is_past(guard) || atomic_load(&guard->has_fired)) continue;
        union sigval value = {.sival_ptr = guard};
        pthread_sigqueue(guard->thread, watchdog->signal_number, value); /* a full queue: next tick again */
    }
    return is_any_armed;
}

/* Under the lock. The store of is_awake and the look pair with at_guard_arm's store and load. */
static void sleep_until_armed(struct at_watchdog *watchdog) {
    atomic_store(&watchdog->is_awake, false);
    if (look(watchdog)) atomic_store(&watchdog->is_awake, true);
    while (!atomic_load(&watchdog->is_awake) && !watchdog->is_stopping)
        pthread_cond_wait(&watchdog->wake, &watchdog->lock);
    atomic_store(&watchdog->is_awake, true);
}

static void run_watchdog(void *arg) {
    struct at_watchdog *watchdog = arg;
    const struct timespec tick = {0, TICK_NS};
    int quiet_ticks = 0;
    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->is_stopping) {
        quiet_ticks = look(watchdog) ? 0 : quiet_ticks + 1;
        if (quiet_ticks >= PATIENCE_TICKS) {
            sleep_until_armed(watchdog);
            quiet_ticks = 0;
        } else {
            pthread_mutex_unlock(&watchdog->lock);
            nanosleep(&tick, NULL);
            pthread_mutex_lock(&watchdog->lock);
        }
    }
    pthread_mutex_unlock(&watchdog->lock);
}

/* The handler and the thread of a watchdog that sends signals. */
static enum at_status start_thread(struct at_watchdog *watchdog, struct at_error *err) {
    int number = watchdog->signal_number, code = install(number);
    if (code)
        return at_fail(err, AT_INVALID, "bad_signal", "signal %d cannot be used for the watchdog: %s", number,
                       strerror(code));
    enum at_status status = at_thread_start(&watchdog->thread, "watchdog", run_watchdog, watchdog, 0, err);
    if (status) uninstall(number);
    return status;
}

enum at_status at_watchdog_start(struct at_watchdog **out, int signal_number, struct at_error *err) {
#if defined(AT_TSAN)
    signal_number = 0; /* the thread sanitizer holds signals back for long */
#endif
    if (signal_number && (signal_number < SIGRTMIN || signal_number > SIGRTMAX))
        return at_fail(err, AT_INVALID, "bad_signal",
                       "the watchdog needs a real-time signal, %d to %d, or 0 for none: not %d", SIGRTMIN,
                       SIGRTMAX, signal_number);
    struct at_watchdog *watchdog = calloc(1, sizeof(*watchdog));
    if (!watchdog) return at_fail(err, AT_NOMEM, NULL, "no memory for the watchdog");
    pthread_mutex_init(&watchdog->lock, NULL);
    pthread_cond_init(&watchdog->wake, NULL);
    watchdog->signal_number = signal_number;
    atomic_store(&watchdog->is_awake, true);
    enum at_status status = signal_number ? start_thread(watchdog, err) : AT_OK;
    if (status)
        free(watchdog);
    else
        *out = watchdog;
    return status;
}

void at_watchdog_stop(struct at_watchdog *watchdog) {
    if (!watchdog) return;
    if (watchdog->signal_number) {
        pthread_mutex_lock(&watchdog->lock);
        watchdog->is_stopping = true;
        pthread_cond_signal(&watchdog->wake);
        pthread_mutex_unlock(&watchdog->lock);
        at_thread_join(watchdog->thread);
        uninstall(watchdog->signal_number);
    }
    AT_ASSERT(!watchdog->guards);
    pthread_cond_destroy(&watchdog->wake);
    pthread_mutex_destroy(&watchdog->lock);
    free(watchdog);
}

int at_watchdog_signal(const struct at_watchdog *watchdog) {
    return watchdog->signal_number;
}

/* A host's thread may block all signals: its guard would never fire. */
static void open_signal(int number) {
    sigset_t ours;
    sigemptyset(&ours);
    if (!number) return;
    sigaddset(&ours, number);
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

void at_guard_register(struct at_watchdog *watchdog, struct at_guard *guard) {
    atomic_store(&guard->deadline_ns, 0);
    atomic_store(&guard->has_fired, 0);
    guard->thread = pthread_self();
    guard->watchdog = watchdog;
    open_signal(watchdog->signal_number);
    pthread_mutex_lock(&watchdog->lock);
    guard->next = watchdog->guards;
    watchdog->guards = guard;
    pthread_mutex_unlock(&watchdog->lock);
}

static void take_out(struct at_watchdog *watchdog, struct at_guard *guard) {
    struct at_guard **link = &watchdog->guards;
    while (*link && *link != guard) link = &(*link)->next;
    if (*link) *link = guard->next;
}

/* Another watchdog's signal may be swallowed too: that one sends again at its next tick. */
void at_guard_unregister(struct at_guard *guard) {
    struct at_watchdog *watchdog = guard->watchdog;
    if (!watchdog) return;
    AT_ASSERT(pthread_equal(guard->thread, pthread_self()));
    sigset_t ours, before;
    sigemptyset(&ours);
    if (watchdog->signal_number) sigaddset(&ours, watchdog->signal_number);
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    atomic_store(&guard->deadline_ns, 0);
    pthread_mutex_lock(&watchdog->lock);
    take_out(watchdog, guard);
    pthread_mutex_unlock(&watchdog->lock);
    const struct timespec now = {0, 0};
    while (watchdog->signal_number && sigtimedwait(&ours, NULL, &now) > 0) {}
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    guard->watchdog = NULL;
}

void at_guard_arm(struct at_guard *guard, uint64_t deadline_ns) {
    struct at_watchdog *watchdog = guard->watchdog;
    atomic_store_explicit(&guard->has_fired, 0, memory_order_relaxed);
    atomic_store(&guard->deadline_ns, deadline_ns);
    if (!watchdog->signal_number || atomic_load(&watchdog->is_awake)) return;
    pthread_mutex_lock(&watchdog->lock);
    atomic_store(&watchdog->is_awake, true);
    pthread_cond_signal(&watchdog->wake);
    pthread_mutex_unlock(&watchdog->lock);
}

void at_guard_disarm(struct at_guard *guard) {
    atomic_store_explicit(&guard->deadline_ns, 0, memory_order_release);
}
