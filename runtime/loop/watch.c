/* SPDX-License-Identifier: Apache-2.0
 *
 * Watching a directory for changes, for the reload of scripts. It only says "look again": which file changed
 * and how is found by looking, because events may be merged or lost.
 */
#include "loop/handle.h"

#include <stdlib.h>

struct at_watch {
    struct at_handle handle; /* first */
    void (*fn)(void *arg);
    void *arg;
};

static void on_change(uv_fs_event_t *uv, const char *file, int events, int status) {
    struct at_watch *watch = uv->data;
    (void)file;
    (void)events;
    (void)status;
    watch->fn(watch->arg);
}

enum at_status at_watch_new(struct at_watch **out, struct at_loop *loop, const char *directory,
                            void (*fn)(void *arg), void *arg, struct at_error *err) {
    struct at_watch *watch = at_handle_new(loop, sizeof(*watch));
    if (!watch) return at_fail(err, AT_NOMEM, NULL, "no memory to watch %s", directory);
    watch->fn = fn;
    watch->arg = arg;
    uv_fs_event_init(loop->uv, &watch->handle.uv.watch); /* cannot fail */
    at_handle_add(&watch->handle);
    int code = uv_fs_event_start(&watch->handle.uv.watch, on_change, directory, 0);
    if (code) {
        at_watch_free(watch);
        const char *hint = code == UV_ENOSPC || code == UV_EMFILE
                               ? " (raise fs.inotify.max_user_watches or max_user_instances)"
                               : "";
        return at_fail(err, code == UV_ENOENT ? AT_NOTFOUND : AT_IO, NULL,
                       "cannot watch the directory %s: %s%s", directory, uv_strerror(code), hint);
    }
    *out = watch;
    return AT_OK;
}

void at_watch_free(struct at_watch *watch) {
    if (watch) at_handle_close(&watch->handle);
}
