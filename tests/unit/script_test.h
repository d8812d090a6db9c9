/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of script/ share: a state with either back end of the limiter, and running a text in it.
 */
#ifndef AT_TESTS_SCRIPT_TEST_H
#define AT_TESTS_SCRIPT_TEST_H

#include <signal.h>
#include <time.h>
#include "base_test.h"
#include "base/utf8.h"
#include "script/internal.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWNESS 10
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLOWNESS 10
#endif
#endif
#ifndef SLOWNESS
#define SLOWNESS 1
#endif

#define MS 1000000ULL

struct rig {
    struct at_watchdog *watchdog; /* NULL: the count hook */
    struct at_guard guard;
    struct at_script *script;
    char out[2000]; /* the results of the last run, joined by "|" */
    struct at_script_where where;
    struct at_error err;
};

struct run {
    struct rig *rig;
    const char *path, *text;
    size_t length;
};

static inline int seal(lua_State *L, void *arg) {
    (void)arg;
    at_script_seal(L);
    return 0;
}

static inline int run_text(lua_State *L, void *arg) {
    struct run *run = arg;
    size_t used = 0;
    run->rig->out[0] = 0;
    at_script_load(L, run->path, run->text, run->length);
    lua_call(L, 0, LUA_MULTRET);
    int count = lua_gettop(L);
    for (int i = 1; i <= count; i++) {
        const char *text = at_script_push_text(L, i, NULL);
        int n = snprintf(run->rig->out + used, sizeof(run->rig->out) - used, "%s%s", i > 1 ? "|" : "", text);
        lua_pop(L, 1);
        used += (size_t)n;
        if (used >= sizeof(run->rig->out)) break;
    }
    return 0;
}

static inline void rig_open_with(struct rig *rig, bool has_signal, size_t memory_max,
                                 struct at_account *account) {
    memset(rig, 0, sizeof(*rig));
    if (has_signal) {
        assert_int_equal(at_watchdog_start(&rig->watchdog, AT_WATCHDOG_SIGNAL, &rig->err), AT_OK);
        at_guard_register(rig->watchdog, &rig->guard);
    }
    struct at_script_options options = {
        .memory_max = memory_max, .account = account, .guard = has_signal ? &rig->guard : NULL};
    assert_int_equal(at_script_new(&rig->script, &options, &rig->err), AT_OK);
    assert_int_equal(at_script_call(rig->script, 1000 * MS, seal, NULL, NULL, &rig->err), AT_OK);
}

static inline void rig_open(struct rig *rig, bool has_signal) {
    rig_open_with(rig, has_signal, 0, NULL);
}

static inline void rig_close(struct rig *rig) {
    at_script_free(rig->script);
    if (rig->watchdog) at_guard_unregister(&rig->guard);
    at_watchdog_stop(rig->watchdog);
}

static inline enum at_status rig_run_bytes(struct rig *rig, const char *text, size_t length,
                                           uint64_t budget_ms) {
    struct run run = {rig, "scripts/test.lua", text, length};
    int top = lua_gettop(at_script_lua(rig->script));
    memset(&rig->err, 0, sizeof(rig->err));
    enum at_status status =
        at_script_call(rig->script, budget_ms * MS, run_text, &run, &rig->where, &rig->err);
    assert_int_equal(lua_gettop(at_script_lua(rig->script)), top);
    return status;
}

static inline enum at_status rig_run(struct rig *rig, const char *text, uint64_t budget_ms) {
    return rig_run_bytes(rig, text, strlen(text), budget_ms);
}

/* Milliseconds of work of this thread: a busy machine does not add to them. */
static inline double worked_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

#define assert_says(rig, part)                                                                               \
    do {                                                                                                     \
        if (!strstr((rig)->err.message, part))                                                               \
            fail_msg("\"%s\" does not say \"%s\"", (rig)->err.message, part);                                \
    } while (0)

#endif
