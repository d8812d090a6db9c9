/* SPDX-License-Identifier: Apache-2.0
 *
 * attune check --watch: checks, waits until something in the folder changes and a moment has passed, checks
 * again. Folders that come are watched from the next check on.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cli/check.h"
#include "loop/loop.h"

#define QUIET_MS    80
#define WATCHES_MAX 64

struct watching {
    struct checked *checked;
    int (*check_once)(struct checked *checked);
    struct at_loop *loop;
    struct at_timer *quiet;
    struct at_signal *signals[2];
    struct at_watch *watches[WATCHES_MAX];
    uint32_t count;
    int code;
};

static void on_change(void *arg) {
    struct watching *watching = arg;
    at_timer_start(watching->quiet, QUIET_MS, 0); /* each change begins it anew */
}

static void add_folder(void *arg, const char *directory) {
    struct watching *watching = arg;
    struct at_error err;
    if (watching->count == WATCHES_MAX) return;
    if (at_watch_new(&watching->watches[watching->count], watching->loop, directory, on_change, watching,
                     &err) == AT_OK)
        watching->count++;
    else
        fprintf(stderr, "attune check: %s\n", err.message);
}

static void drop_watches(struct watching *watching) {
    for (uint32_t i = 0; i < watching->count; i++) at_watch_free(watching->watches[i]);
    watching->count = 0;
}

static void check_again(void *arg) {
    struct watching *watching = arg;
    char clock[20];
    time_t now = time(NULL);
    struct tm local;
    drop_watches(watching); /* before the folder is read: what changes meanwhile is seen */
    add_folder(watching, watching->checked->folder);
    folder_walk(watching->checked->folder, add_folder, watching);
    watching->code = watching->check_once(watching->checked);
    strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&now, &local));
    printf("-- checked at %s; waiting for the next save\n", clock);
    fflush(stdout);
}

static void on_signal(void *arg, int signum) {
    struct watching *watching = arg;
    (void)signum;
    at_loop_stop(watching->loop);
}

int check_watch(struct checked *checked, int (*check_once)(struct checked *checked)) {
    struct watching watching = {.checked = checked, .check_once = check_once, .code = EXIT_FAILED};
    static const int signums[] = {SIGINT, SIGTERM};
    enum at_status status = at_loop_new(&watching.loop, NULL, &checked->err);
    if (status != AT_OK) return cli_fail(checked->call, EXIT_FAILED, "%s", checked->err.message);
    for (size_t i = 0; i < AT_LENGTH(signums) && status == AT_OK; i++)
        status = at_signal_new(&watching.signals[i], watching.loop, signums[i], on_signal, &watching,
                               &checked->err);
    if (status == AT_OK && !(watching.quiet = at_timer_new(watching.loop, check_again, &watching)))
        status = at_fail(&checked->err, AT_NOMEM, NULL, "out of memory");
    if (status == AT_OK) {
        check_again(&watching);
        at_loop_run(watching.loop);
    } else {
        watching.code = cli_fail(checked->call, EXIT_FAILED, "%s", checked->err.message);
    }
    drop_watches(&watching);
    if (watching.quiet) at_timer_free(watching.quiet);
    for (size_t i = 0; i < AT_LENGTH(signums); i++)
        if (watching.signals[i]) at_signal_free(watching.signals[i]);
    at_loop_close(watching.loop, NULL, NULL);
    return watching.code;
}
