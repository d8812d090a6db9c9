/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop: tasks posted from many threads, timers, watches and a quiet period made of both, signals, closing
 * with everything open, hanging on a host's loop.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>
#include "base_test.h"
#include "base/time.h"
#include "loop/loop.h"
#include "loop/thread.h"

#define MS 1000000ULL
/* A busy machine may be late, never early. */
#define SLACK_NS (500 * MS)

static struct at_error error;

static struct at_loop *new_loop(void) {
    struct at_loop *loop;
    assert_int_equal(at_loop_new(&loop, NULL, &error), AT_OK);
    return loop;
}

/* ---- posting ---- */

#define POSTERS 4
#define POSTS   5000

struct poster {
    struct at_loop *loop;
    pthread_t thread;
    int last, *open_count; /* of the tasks seen on the loop; all posters' tasks not seen yet */
    bool is_in_order, is_here;
    bool is_chaining;
};
struct post {
    struct at_task task; /* first */
    struct poster *poster;
    int number;
};

static void see_post(struct at_task *task) {
    struct post *post = (struct post *)task;
    struct poster *poster = post->poster;
    poster->is_in_order &= post->number == poster->last + 1;
    poster->is_here &= at_loop_is_here(poster->loop);
    poster->last = post->number;
    if (--*poster->open_count == 0) at_loop_stop(poster->loop);
    free(post); /* a task may free itself */
}

static struct post *new_post(struct poster *poster, int number) {
    struct post *post = calloc(1, sizeof(*post));
    if (!post) abort();
    *post = (struct post){.task.run = see_post, .poster = poster, .number = number};
    return post;
}

static void post_many(void *arg) {
    struct poster *poster = arg;
    for (int i = 1; i <= POSTS;) {
        struct post *first = new_post(poster, i++), *last = first;
        if (!poster->is_chaining) {
            at_loop_post(poster->loop, &first->task);
            continue;
        }
        for (; i % 7 && i <= POSTS; i++) {
            struct post *next = new_post(poster, i);
            last->task.next = &next->task;
            last = next;
        }
        at_loop_post_all(poster->loop, &first->task, &last->task);
        if (i % 3 == 0) sched_yield();
    }
}

static void posts_of_many_threads_run_here_in_order(void **state) {
    (void)state;
    struct at_loop *loop = new_loop();
    struct poster posters[POSTERS];
    int open_count = POSTERS * POSTS;
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.loop = loop,
                                     .open_count = &open_count,
                                     .is_in_order = true,
                                     .is_here = true,
                                     .is_chaining = i % 2 == 1};
        assert_int_equal(at_thread_start(&posters[i].thread, "poster", post_many, &posters[i], 0, &error),
                         AT_OK);
    }
    at_loop_run(loop);
    for (int i = 0; i < POSTERS; i++) {
        at_thread_join(posters[i].thread);
        assert_int_equal(posters[i].last, POSTS);
        assert_true(posters[i].is_in_order);
        assert_true(posters[i].is_here);
    }
    at_loop_close(loop, NULL, NULL);
}

struct again {
    struct at_task task; /* first */
    struct at_loop *loop;
    int left;
};

static void post_again(struct at_task *task) {
    struct again *again = (struct again *)task;
    if (again->left-- > 0)
        at_loop_post(again->loop, task);
    else
        at_loop_stop(again->loop);
}

static void a_task_may_post_itself_again(void **state) {
    (void)state;
    struct at_loop *loop = new_loop();
    struct again again = {.task.run = post_again, .loop = loop, .left = 1000};
    at_loop_post(loop, &again.task);
    at_loop_run(loop);
    assert_int_equal(again.left, -1);
    at_loop_close(loop, NULL, NULL);
}

static void a_stop_before_the_run_is_remembered(void **state) {
    (void)state;
    struct at_loop *loop = new_loop();
    at_loop_stop(loop);
    at_loop_run(loop); /* would hang */
    at_loop_close(loop, NULL, NULL);
}

static void count_one(struct at_task *task) {
    ((struct again *)task)->left++;
}

static void what_was_posted_runs_even_when_the_loop_closes(void **state) {
    (void)state;
    struct at_loop *loop = new_loop();
    struct again once = {.task.run = count_one};
    at_loop_post(loop, &once.task);
    at_loop_close(loop, NULL, NULL);
    assert_int_equal(once.left, 1);
}

/* ---- timers ---- */

struct ticking {
    struct at_loop *loop;
    struct at_timer *timer;
    int count, stop_at;
    bool frees_itself;
};

static void tick(void *arg) {
    struct ticking *ticking = arg;
    if (++ticking->count < ticking->stop_at) return;
    if (ticking->frees_itself) at_timer_free(ticking->timer);
    at_loop_stop(ticking->loop);
}

static void timers_fire_once_or_again_and_never_early(void **state) {
    (void)state;
    struct at_loop *loop = new_loop();
    struct ticking once = {.loop = loop, .stop_at = 1, .frees_itself = true};
    once.timer = at_timer_new(loop, tick, &once);
    uint64_t start_ns = at_ticks_ns();
    at_timer_start(once.timer, 30, 0);
    at_loop_run(loop);
    assert_true(at_ticks_ns() - start_ns >= 29 * MS);
    assert_true(at_ticks_ns() - start_ns < 30 * MS + SLACK_NS);

    struct ticking often = {.loop = loop, .stop_at = 5}, never = {.loop = loop, .stop_at = 1};
    often.timer = at_timer_new(loop, tick, &often);
    never.timer = at_timer_new(loop, tick, &never);
    at_timer_start(never.timer, 2, 0);
    at_timer_stop(never.timer);
    start_ns = at_ticks_ns();
    at_timer_start(often.timer, 5, 5);
    at_loop_run(loop);
    assert_true(at_ticks_ns() - start_ns >= 24 * MS);
    assert_int_equal(often.count, 5);
    assert_int_equal(never.count, 0);
    at_timer_start(never.timer, 1, 0); /* a stopped one starts again */
    at_loop_run(loop);
    assert_int_equal(never.count, 1);
    at_timer_free(often.timer);
    at_timer_free(NULL);
    at_loop_close(loop, NULL, NULL); /* takes the other timer with it */
}

/* ---- watches ---- */

static char folder[] = "/tmp/attune-loop-test-XXXXXX";

static void write_file(const char *name, const char *text) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
}

static void remove_folder(void) {
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.') unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir) closedir(dir);
    rmdir(folder);
}

/* As the reload does it: each change starts the quiet period anew; one look when it is over. */
struct reload {
    struct at_loop *loop;
    struct at_timer *quiet, *writer;
    int change_count, look_count, write_count;
    uint64_t last_write_ns, look_ns;
};

static void on_change(void *arg) {
    struct reload *reload = arg;
    reload->change_count++;
    at_timer_start(reload->quiet, 100, 0);
}

static void on_quiet(void *arg) {
    struct reload *reload = arg;
    reload->look_count++;
    reload->look_ns = at_ticks_ns();
    at_loop_stop(reload->loop);
}

static void write_one(void *arg) {
    struct reload *reload = arg;
    char name[20], from[200], to[200];
    snprintf(name, sizeof name, "f%d.lua~", reload->write_count % 3);
    write_file(name, "return 1");
    snprintf(from, sizeof from, "%s/%s", folder, name);
    snprintf(to, sizeof to, "%s/f.lua", folder);
    rename(from, to); /* the way editors save: a watch of the file itself would go silent */
    reload->last_write_ns = at_ticks_ns();
    if (++reload->write_count == 10) at_timer_stop(reload->writer);
}

static void many_changes_lead_to_one_look_after_a_quiet_period(void **state) {
    (void)state;
    struct at_loop *loop = new_loop();
    struct at_watch *watch;
    struct reload reload = {.loop = loop};
    reload.quiet = at_timer_new(loop, on_quiet, &reload);
    reload.writer = at_timer_new(loop, write_one, &reload);
    assert_int_equal(at_watch_new(&watch, loop, folder, on_change, &reload, &error), AT_OK);
    at_timer_start(reload.writer, 10, 20);
    at_loop_run(loop);
    assert_int_equal(reload.write_count, 10);
    assert_int_equal(reload.look_count, 1);
    assert_true(reload.change_count >= 10);
    assert_true(reload.look_ns - reload.last_write_ns >= 95 * MS);
    at_watch_free(watch);
    at_watch_free(NULL);
    at_loop_close(loop, NULL, NULL);
}

static void watching_what_is_not_there_says_so(void **state) {
    (void)state;
    struct at_loop *loop = new_loop();
    struct at_watch *watch;
    assert_int_equal(at_watch_new(&watch, loop, "/nowhere/at/all", on_change, NULL, &error), AT_NOTFOUND);
    assert_non_null(strstr(error.message, "/nowhere/at/all"));
    at_loop_close(loop, NULL, NULL);
}

/* ---- signals ---- */

struct caught {
    struct at_loop *loop;
    int signum;
};

static void on_caught(void *arg, int signum) {
    struct caught *caught = arg;
    caught->signum = signum;
    at_loop_stop(caught->loop);
}

static void signals_come_as_events(void **state) {
    (void)state;
    struct at_loop *loop = new_loop();
    struct at_signal *signal;
    struct caught caught = {.loop = loop};
    assert_int_equal(at_signal_new(&signal, loop, SIGUSR1, on_caught, &caught, &error), AT_OK);
    raise(SIGUSR1);
    at_loop_run(loop);
    assert_int_equal(caught.signum, SIGUSR1);
    at_signal_free(signal);
    at_signal_free(NULL);
    assert_int_not_equal(at_signal_new(&signal, loop, SIGKILL, on_caught, &caught, &error), AT_OK);
    at_loop_close(loop, NULL, NULL);
}

/* ---- closing, hosts ---- */

static void note_closed(void *arg) {
    ++*(int *)arg;
}

static void do_nothing(void *arg) {
    (void)arg;
}

static void closing_takes_everything_with_it(void **state) {
    (void)state;
    struct at_loop *loop = new_loop();
    struct at_watch *watch;
    struct at_signal *signal;
    struct caught caught = {.loop = loop};
    int closed_count = 0;
    at_timer_start(at_timer_new(loop, do_nothing, NULL), 1000000, 0);
    assert_int_equal(at_watch_new(&watch, loop, folder, do_nothing, NULL, &error), AT_OK);
    assert_int_equal(at_signal_new(&signal, loop, SIGUSR2, on_caught, &caught, &error), AT_OK);
    at_loop_close(loop, note_closed, &closed_count);
    assert_int_equal(closed_count, 1);
    at_loop_close(NULL, NULL, NULL);
}

static void a_host_loop_carries_it_and_lives_on(void **state) {
    (void)state;
    uv_loop_t host;
    uv_loop_init(&host);
    struct at_loop *loop;
    assert_int_equal(at_loop_new(&loop, &host, &error), AT_OK);
    assert_ptr_equal(at_loop_uv(loop), &host);
    struct again once = {.task.run = count_one};
    struct ticking ticking = {.loop = loop, .stop_at = 1};
    int closed_count = 0;
    ticking.timer = at_timer_new(loop, tick, &ticking);
    at_timer_start(ticking.timer, 1, 0);
    at_loop_post(loop, &once.task);
    while (!ticking.count) uv_run(&host, UV_RUN_ONCE); /* its stop must not stop the host */
    assert_int_equal(once.left, 1);
    at_loop_close(loop, note_closed, &closed_count);
    assert_int_equal(closed_count, 0); /* not before the host has run */
    uv_run(&host, UV_RUN_DEFAULT);
    assert_int_equal(closed_count, 1);
    assert_int_equal(uv_loop_close(&host), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_of_many_threads_run_here_in_order),
        cmocka_unit_test(a_task_may_post_itself_again),
        cmocka_unit_test(a_stop_before_the_run_is_remembered),
        cmocka_unit_test(what_was_posted_runs_even_when_the_loop_closes),
        cmocka_unit_test(timers_fire_once_or_again_and_never_early),
        cmocka_unit_test(many_changes_lead_to_one_look_after_a_quiet_period),
        cmocka_unit_test(watching_what_is_not_there_says_so),
        cmocka_unit_test(signals_come_as_events),
        cmocka_unit_test(closing_takes_everything_with_it),
        cmocka_unit_test(a_host_loop_carries_it_and_lives_on),
    };
    if (!mkdtemp(folder)) return 1;
    int failed_count = cmocka_run_group_tests(tests, NULL, NULL);
    remove_folder();
    return failed_count;
}
