/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads, their signal mask and the latch they wait on; the watchdog fires in time, only when armed, on the
 * right thread, and again after it slept.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>
#include "base_test.h"
#include "base/time.h"
#include "loop/thread.h"
#include "loop/watchdog.h"

#define MS 1000000ULL
/* A busy machine may be late, never early. */
#define SLACK_NS (500 * MS)

static struct at_error error;

/* ---- threads ---- */

struct seen {
    char name[16];
    size_t stack_bytes;
    bool is_watchdog_open, is_terminate_open, is_fault_open;
};

static void look_around(void *arg) {
    struct seen *seen = arg;
    sigset_t blocked;
    pthread_attr_t attributes;
    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &seen->stack_bytes);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    seen->is_watchdog_open = !sigismember(&blocked, AT_WATCHDOG_SIGNAL);
    seen->is_terminate_open = !sigismember(&blocked, SIGTERM);
    seen->is_fault_open = !sigismember(&blocked, SIGSEGV);
}

static void threads_are_named_deep_and_quiet(void **state) {
    (void)state;
    pthread_t thread;
    struct seen seen;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(at_thread_start(&thread, "a-rather-long-name", look_around, &seen,
                                         i ? AT_WATCHDOG_SIGNAL : 0, &error),
                         AT_OK);
        at_thread_join(thread);
        assert_string_equal(seen.name, "a-rather-long-n");
        assert_true(seen.stack_bytes >= 8 << 20);
        assert_int_equal(seen.is_watchdog_open, i);
        assert_false(seen.is_terminate_open);
        assert_true(seen.is_fault_open);
    }
    look_around(&seen);
    assert_true(seen.is_terminate_open); /* the starter's own mask is as before */
}

struct relay {
    struct at_latch latch;
    int value;
};

static void hand_over(void *arg) {
    struct relay *relay = arg;
    relay->value++;
    at_latch_open(&relay->latch);
}

/* It may be open before anyone waits, and what was written before it opened is there. */
static void what_came_before_a_latch_opened_is_seen(void **state) {
    (void)state;
    for (int i = 0; i < 500; i++) {
        struct relay relay = {.value = 0};
        pthread_t thread;
        at_latch_init(&relay.latch);
        assert_int_equal(at_thread_start(&thread, "relay", hand_over, &relay, 0, &error), AT_OK);
        if (i % 2) sched_yield();
        at_latch_wait(&relay.latch);
        assert_int_equal(relay.value, 1);
        at_latch_clear(&relay.latch);
        at_thread_join(thread);
    }
}

/* ---- the watchdog ---- */

struct watched {
    struct at_guard guard;
    pthread_t fired_on;
    _Atomic uint64_t fired_ns;
    atomic_int fired_count;
    struct at_watchdog *watchdog;
    int wrong_count;
};

static void note_expiry(void *arg) {
    struct watched *watched = arg;
    watched->fired_on = pthread_self();
    atomic_store(&watched->fired_ns, at_ticks_ns());
    atomic_fetch_add(&watched->fired_count, 1);
}

static void register_watched(struct watched *watched, struct at_watchdog *watchdog) {
    *watched = (struct watched){.watchdog = watchdog};
    watched->guard.expire = note_expiry;
    watched->guard.arg = watched;
    at_guard_register(watchdog, &watched->guard);
}

static void spin_ns(uint64_t ns) {
    uint64_t end_ns = at_ticks_ns() + ns;
    while (at_ticks_ns() < end_ns) {}
}

/* True: it fired once, on this thread, not early and not late. */
static bool fires(struct watched *watched, uint64_t budget_ns, uint64_t *late_ns) {
    uint64_t deadline_ns = at_ticks_ns() + budget_ns;
    int before = atomic_load(&watched->fired_count);
    at_guard_arm(&watched->guard, deadline_ns);
    while (atomic_load(&watched->fired_count) == before && at_ticks_ns() < deadline_ns + SLACK_NS) {}
    spin_ns(3 * MS); /* a second one would come by now */
    at_guard_disarm(&watched->guard);
    uint64_t fired_ns = atomic_load(&watched->fired_ns);
    *late_ns = fired_ns - deadline_ns;
    return atomic_load(&watched->fired_count) == before + 1 && fired_ns >= deadline_ns &&
           pthread_equal(watched->fired_on, pthread_self()) && atomic_load(&watched->guard.has_fired);
}

static struct at_watchdog *start_watchdog(void) {
    struct at_watchdog *watchdog;
    assert_int_equal(at_watchdog_start(&watchdog, AT_WATCHDOG_SIGNAL, &error), AT_OK);
    if (at_watchdog_signal(watchdog)) return watchdog;
    at_watchdog_stop(watchdog); /* the thread sanitizer's build sends no signals */
    print_message("skipped: no signals in this build\n");
    return NULL;
}

static void the_watchdog_fires_within_its_slack(void **state) {
    (void)state;
    struct at_watchdog *watchdog = start_watchdog();
    if (!watchdog) return;
    struct watched watched;
    uint64_t worst_ns = 0, sum_ns = 0;
    register_watched(&watched, watchdog);
    for (int i = 0; i < 100; i++) {
        uint64_t late_ns;
        assert_true(fires(&watched, (uint64_t)(1 + i % 10) * MS, &late_ns));
        sum_ns += late_ns;
        if (late_ns > worst_ns) worst_ns = late_ns;
    }
    print_message("late by %.2f ms on average, %.2f ms at most\n", (double)sum_ns / 1e8,
                  (double)worst_ns / 1e6);
    assert_true(sum_ns / 100 < 20 * MS);
    at_guard_unregister(&watched.guard);
    at_watchdog_stop(watchdog);
}

static void it_wakes_up_after_it_slept(void **state) {
    (void)state;
    struct at_watchdog *watchdog = start_watchdog();
    if (!watchdog) return;
    struct watched watched;
    uint64_t late_ns;
    register_watched(&watched, watchdog);
    for (int i = 0; i < 3; i++) {
        usleep(250000); /* it goes to sleep after 100 ticks without an armed guard */
        assert_true(fires(&watched, 2 * MS, &late_ns));
    }
    at_guard_unregister(&watched.guard);
    at_watchdog_stop(watchdog);
}

static void a_disarmed_guard_does_not_fire(void **state) {
    (void)state;
    struct at_watchdog *watchdog = start_watchdog();
    if (!watchdog) return;
    struct watched watched;
    register_watched(&watched, watchdog);
    for (int i = 0; i < 2000; i++) { /* ends before, at and after a tick */
        at_guard_arm(&watched.guard, at_ticks_ns() + 500 * MS);
        spin_ns((uint64_t)(i % 20) * 10000);
        at_guard_disarm(&watched.guard);
    }
    assert_int_equal(atomic_load(&watched.fired_count), 0);
    /* What is sent to a thread that has disarmed meanwhile does nothing. */
    union sigval value = {.sival_ptr = &watched.guard};
    pthread_sigqueue(pthread_self(), AT_WATCHDOG_SIGNAL, value);
    at_guard_arm(&watched.guard, at_ticks_ns() + 500 * MS);
    pthread_sigqueue(pthread_self(), AT_WATCHDOG_SIGNAL, value);
    raise(AT_WATCHDOG_SIGNAL); /* not ours at all */
    at_guard_disarm(&watched.guard);
    assert_int_equal(atomic_load(&watched.fired_count), 0);
    at_guard_unregister(&watched.guard);
    at_guard_unregister(&watched.guard); /* is over, does nothing */
    at_watchdog_stop(watchdog);
}

static void run_guarded(void *arg) {
    struct watched *watched = arg;
    uint64_t late_ns;
    register_watched(watched, watched->watchdog);
    for (int i = 0; i < 30; i++) watched->wrong_count += !fires(watched, 3 * MS, &late_ns);
    at_guard_unregister(&watched->guard);
}

static void each_thread_gets_its_own(void **state) {
    (void)state;
    struct at_watchdog *watchdog = start_watchdog();
    if (!watchdog) return;
    struct watched watched[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        watched[i].watchdog = watchdog;
        assert_int_equal(
            at_thread_start(&threads[i], "guarded", run_guarded, &watched[i], AT_WATCHDOG_SIGNAL, &error),
            AT_OK);
    }
    for (int i = 0; i < 3; i++) {
        at_thread_join(threads[i]);
        assert_int_equal(watched[i].wrong_count, 0);
        assert_int_equal(atomic_load(&watched[i].fired_count), 30);
    }
    at_watchdog_stop(watchdog);
}

/* A host's thread with every signal blocked: the guard fires all the same. */
static void a_blocked_thread_is_opened_for_it(void **state) {
    (void)state;
    struct at_watchdog *watchdog = start_watchdog();
    if (!watchdog) return;
    struct watched watched;
    pthread_t thread;
    watched.watchdog = watchdog;
    assert_int_equal(at_thread_start(&thread, "blocked", run_guarded, &watched, 0, &error), AT_OK);
    at_thread_join(thread);
    assert_int_equal(watched.wrong_count, 0);
    at_watchdog_stop(watchdog);
}

static void on_foreign(int signum) {
    (void)signum;
}

static void two_watchdogs_share_and_put_the_old_handler_back(void **state) {
    (void)state;
    struct sigaction own = {.sa_handler = on_foreign}, now;
    sigaction(AT_WATCHDOG_SIGNAL, &own, NULL);
    struct at_watchdog *first = start_watchdog(), *second;
    if (!first) return;
    second = start_watchdog();
    struct watched a, b;
    uint64_t late_ns;
    register_watched(&a, first);
    register_watched(&b, second);
    assert_true(fires(&a, 2 * MS, &late_ns));
    assert_true(fires(&b, 2 * MS, &late_ns));
    at_guard_unregister(&a.guard);
    at_watchdog_stop(first);
    assert_true(fires(&b, 2 * MS, &late_ns));
    at_guard_unregister(&b.guard);
    at_watchdog_stop(second);
    sigaction(AT_WATCHDOG_SIGNAL, NULL, &now);
    assert_ptr_equal(now.sa_handler, on_foreign);
    at_watchdog_stop(NULL);
}

static void without_a_signal_it_never_fires(void **state) {
    (void)state;
    struct at_watchdog *watchdog;
    struct watched watched;
    assert_int_equal(at_watchdog_start(&watchdog, 0, &error), AT_OK);
    assert_int_equal(at_watchdog_signal(watchdog), 0);
    register_watched(&watched, watchdog);
    at_guard_arm(&watched.guard, at_ticks_ns() + 1);
    spin_ns(5 * MS);
    assert_int_equal(atomic_load(&watched.fired_count), 0);
    assert_true(atomic_load(&watched.guard.deadline_ns) != 0);
    at_guard_disarm(&watched.guard);
    at_guard_unregister(&watched.guard);
    at_watchdog_stop(watchdog);
}

static void a_signal_that_is_not_free_is_refused(void **state) {
    (void)state;
    struct at_watchdog *watchdog = start_watchdog();
    if (!watchdog) return;
    at_watchdog_stop(watchdog);
    assert_int_equal(at_watchdog_start(&watchdog, SIGTERM, &error), AT_INVALID);
    assert_non_null(strstr(error.message, "real-time signal"));
    assert_int_equal(at_watchdog_start(&watchdog, SIGRTMAX + 1, &error), AT_INVALID);
    assert_int_equal(at_watchdog_start(&watchdog, -1, &error), AT_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_are_named_deep_and_quiet),
        cmocka_unit_test(what_came_before_a_latch_opened_is_seen),
        cmocka_unit_test(the_watchdog_fires_within_its_slack),
        cmocka_unit_test(it_wakes_up_after_it_slept),
        cmocka_unit_test(a_disarmed_guard_does_not_fire),
        cmocka_unit_test(each_thread_gets_its_own),
        cmocka_unit_test(a_blocked_thread_is_opened_for_it),
        cmocka_unit_test(two_watchdogs_share_and_put_the_old_handler_back),
        cmocka_unit_test(without_a_signal_it_never_fires),
        cmocka_unit_test(a_signal_that_is_not_free_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
