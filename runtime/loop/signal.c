/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals as events of a loop, for the program in cli/: SIGTERM, SIGINT, SIGHUP. The library never calls
 * this.
 */
#include "loop/handle.h"

#include <stdlib.h>

struct at_signal {
    struct at_handle handle; /* first */
    void (*fn)(void *arg, int signum);
    void *arg;
};

static void on_signal(uv_signal_t *uv, int signum) {
    struct at_signal *signal = uv->data;
    signal->fn(signal->arg, signum);
}

enum at_status at_signal_new(struct at_signal **out, struct at_loop *loop, int signum,
                             void (*fn)(void *arg, int signum), void *arg, struct at_error *err) {
    struct at_signal *signal = at_handle_new(loop, sizeof(*signal));
    if (!signal) return at_fail(err, AT_NOMEM, NULL, "no memory to wait for signal %d", signum);
    signal->fn = fn;
    signal->arg = arg;
    int code = uv_signal_init(loop->uv, &signal->handle.uv.signal);
    if (code) {
        free(signal);
        return at_fail(err, AT_IO, NULL, "cannot wait for signal %d: %s", signum, uv_strerror(code));
    }
    at_handle_add(&signal->handle);
    code = uv_signal_start(&signal->handle.uv.signal, on_signal, signum);
    if (code) {
        at_signal_free(signal);
        return at_fail(err, AT_IO, NULL, "cannot wait for signal %d: %s", signum, uv_strerror(code));
    }
    *out = signal;
    return AT_OK;
}

void at_signal_free(struct at_signal *signal) {
    if (signal) at_handle_close(&signal->handle);
}
