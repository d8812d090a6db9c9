/* SPDX-License-Identifier: Apache-2.0
 *
 * Watches the scripts folder on the first worker's loop: a change starts a quiet time that further changes
 * extend; then the back worker looks. A look every five seconds finds what no event told of.
 */
#include <stdlib.h>
#include <string.h>
#include "shop/folder.h"

#define QUIET_MS     80
#define QUIET_MAX_MS 2000
#define RESCAN_MS    5000
#define WATCHES_MAX  64

struct shop_watch {
    struct at_shop *shop;
    struct at_timer *quiet, *rescan;
    struct at_watch *watches[WATCHES_MAX];
    char *paths[WATCHES_MAX];
    uint32_t count;
    uint64_t first_ns; /* of the changes not looked at yet; 0: none */
    _Atomic bool is_posted;
    struct back_task task;
};

static void look(struct back_task *task) {
    struct shop_watch *watch = (struct shop_watch *)((char *)task - offsetof(struct shop_watch, task));
    atomic_store(&watch->is_posted, false);
    scripts_reload(watch->shop);
}

static void on_change(void *arg) {
    struct shop_watch *watch = arg;
    uint64_t now = at_ticks_ns();
    if (!watch->first_ns) watch->first_ns = now;
    uint64_t since_ms = (now - watch->first_ns) / 1000000;
    at_timer_start(watch->quiet,
                   since_ms + QUIET_MS < QUIET_MAX_MS ? QUIET_MS
                   : QUIET_MAX_MS > since_ms          ? QUIET_MAX_MS - since_ms
                                                      : 0,
                   0);
}

static void add_directory(void *arg, const char *directory) {
    struct shop_watch *watch = arg;
    for (uint32_t i = 0; i < watch->count; i++)
        if (strcmp(watch->paths[i], directory) == 0) return;
    if (watch->count == WATCHES_MAX) return; /* the rescan finds its changes */
    struct at_error err = {0};
    char *path = strdup(directory);
    if (!path) return;
    if (at_watch_new(&watch->watches[watch->count], at_worker_loop(&watch->shop->workers[0]), directory,
                     on_change, watch, &err) != AT_OK) {
        at_log(at_shop_log(watch->shop), AT_LOG_WARN, "reload", "%s; changes are found by looking every 5 s",
               err.message);
        free(path);
        return;
    }
    watch->paths[watch->count++] = path;
}

static void on_quiet(void *arg) {
    struct shop_watch *watch = arg;
    watch->first_ns = 0;
    folder_walk(watch->shop->folder, add_directory, watch);
    if (!atomic_exchange(&watch->is_posted, true)) back_post(watch->shop, &watch->task);
}

static void drop_watches(struct shop_watch *watch) {
    for (uint32_t i = 0; i < watch->count; i++) {
        at_watch_free(watch->watches[i]);
        free(watch->paths[i]);
    }
    watch->count = 0;
}

/* Folders that were removed and made again need new watches: all are made again. */
static void on_rescan(void *arg) {
    struct shop_watch *watch = arg;
    drop_watches(watch);
    on_quiet(watch);
}

enum at_status scripts_watch(struct at_shop *shop, struct at_error *err) {
    struct shop_watch *watch = shop->watch = calloc(1, sizeof *watch);
    if (!watch) return at_fail(err, AT_NOMEM, NULL, "no memory to watch the scripts");
    struct at_loop *loop = at_worker_loop(&shop->workers[0]);
    watch->shop = shop;
    watch->task.run = look;
    watch->task.waits_turn = true;
    watch->quiet = at_timer_new(loop, on_quiet, watch);
    watch->rescan = at_timer_new(loop, on_rescan, watch);
    if (!watch->quiet || !watch->rescan)
        return at_fail(err, AT_NOMEM, NULL, "no memory to watch the scripts");
    at_timer_start(watch->rescan, RESCAN_MS, RESCAN_MS);
    folder_walk(shop->folder, add_directory, watch);
    return AT_OK;
}

/* On the first worker's thread, while its loop still runs. The task may still be queued: the struct goes with
 * the shop. */
void scripts_unwatch(struct at_shop *shop) {
    struct shop_watch *watch = shop->watch;
    if (!watch) return;
    drop_watches(watch);
    if (watch->quiet) at_timer_free(watch->quiet);
    if (watch->rescan) at_timer_free(watch->rescan);
    watch->quiet = watch->rescan = NULL;
}
