/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of script/ share: a sealed state under either back end of the limiter (the watchdog's
 * signal, or the count hook), running a source text, the words and the time it took.
 */
#ifndef AT_TESTS_SCRIPT_WORLD_H
#define AT_TESTS_SCRIPT_WORLD_H

#include <signal.h>
#include <time.h>
#include "base_test.h"
#include "base/time.h"
#include "base/utf8.h"
#include "script/internal.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#define SLOWNESS (IS_SANITIZED ? 10 : 1)
#define MS       1000000ULL
/* Over the budget: one full collection or one rehash cannot be cut short; a busy machine; sanitizers. */
#define SLACK_NS ((IS_SANITIZED ? 1500 : 200) * MS)

enum back_end { BY_SIGNAL, BY_COUNT, BACK_ENDS };
static const char *const back_end_names[] = {"signal", "count hook"};

struct world {
    struct at_watchdog *watchdog;
    struct at_guard guard;
    struct at_script *script;
    struct at_script_where where;
    struct at_error err;
    char result[2000]; /* what the chunk returned, as text, joined by "|" */
    uint64_t took_ns;
    const char *path, *source;
    size_t length;
};

/* resume(f, …): f in a coroutine of its own, as language/ does it. A finished or waiting one gives its
 * values. */
static int l_resume(lua_State *L) {
    int given, count = lua_gettop(L);
    lua_State *coroutine = lua_newthread(L);
    lua_insert(L, 1);
    lua_xmove(L, coroutine, count);
    int status = at_script_resume(L, coroutine, count - 1, &given);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(coroutine, L, 1);
        return lua_error(L);
    }
    lua_xmove(coroutine, L, given);
    return given;
}

static int l_wait(lua_State *L) {
    return lua_yield(L, lua_gettop(L));
}

static int add_words_and_seal(lua_State *L, void *arg) {
    (void)arg;
    at_script_push_globals(L);
    lua_pushcfunction(L, l_resume);
    lua_setfield(L, -2, "resume");
    lua_pushcfunction(L, l_wait);
    lua_setfield(L, -2, "wait");
    lua_createtable(L, 0, 1);
    lua_pushinteger(L, 7);
    lua_setfield(L, -2, "seven");
    lua_pushinteger(L, 1);
    lua_rawseti(L, -2, 1);
    at_script_make_readonly(L, "frozen");
    lua_setfield(L, -2, "frozen");
    at_script_seal(L);
    return 0;
}

static inline void open_script(struct world *world, size_t memory_max, struct at_account *account) {
    struct at_script_options options = {.memory_max = memory_max, .account = account, .guard = &world->guard};
    assert_int_equal(at_script_new(&world->script, &options, &world->err), AT_OK);
    assert_int_equal(
        at_script_call(world->script, 5000 * MS, add_words_and_seal, NULL, &world->where, &world->err),
        AT_OK);
}

static inline void open_world_with(struct world *world, enum back_end back_end, size_t memory_max,
                                   struct at_account *account) {
    memset(world, 0, sizeof(*world));
    int number = back_end == BY_SIGNAL ? AT_WATCHDOG_SIGNAL : 0;
    assert_int_equal(at_watchdog_start(&world->watchdog, number, &world->err), AT_OK);
    at_guard_register(world->watchdog, &world->guard);
    open_script(world, memory_max, account);
}

static inline void open_world(struct world *world, enum back_end back_end, size_t memory_max) {
    open_world_with(world, back_end, memory_max, NULL);
}

static inline void close_world(struct world *world) {
    at_script_free(world->script);
    at_guard_unregister(&world->guard);
    at_watchdog_stop(world->watchdog);
}

/* A spent state is replaced, as the shop does. */
static inline void renew_script(struct world *world, size_t memory_max) {
    at_script_free(world->script);
    open_script(world, memory_max, NULL);
}

static int run_source(lua_State *L, void *arg) {
    struct world *world = arg;
    at_script_load(L, world->path, world->source, world->length);
    lua_call(L, 0, LUA_MULTRET);
    int count = lua_gettop(L);
    size_t used = 0;
    for (int i = 1; i <= count && used < sizeof world->result; i++) {
        const char *text = at_script_push_text(L, i, NULL);
        used += (size_t)snprintf(world->result + used, sizeof world->result - used, "%s%s", i > 1 ? "|" : "",
                                 text);
        lua_pop(L, 1);
    }
    return 0;
}

static inline enum at_status run_bytes(struct world *world, const char *path, const char *source,
                                       size_t length, uint64_t budget_ns) {
    world->path = path;
    world->source = source;
    world->length = length;
    world->result[0] = world->err.message[0] = '\0';
    uint64_t start = at_ticks_ns();
    enum at_status status =
        at_script_call(world->script, budget_ns, run_source, world, &world->where, &world->err);
    world->took_ns = at_ticks_ns() - start;
    assert_int_equal(lua_gettop(at_script_lua(world->script)), 0);
    return status;
}

static inline enum at_status run_for(struct world *world, const char *source, uint64_t budget_ms) {
    return run_bytes(world, "scripts/t.lua", source, strlen(source), budget_ms * MS);
}

static inline enum at_status run(struct world *world, const char *source) {
    return run_for(world, source, 5000);
}

/* The source gives this text. */
static inline void gives(struct world *world, const char *source, const char *wanted) {
    enum at_status status = run(world, source);
    if (status || strcmp(world->result, wanted) != 0)
        print_error("%s\n  gave %d %s %s\n", source, status, world->result, world->err.message);
    assert_int_equal(status, AT_OK);
    assert_string_equal(world->result, wanted);
}

/* The source fails with words that hold this. */
static inline void fails(struct world *world, const char *source, const char *words) {
    enum at_status status = run(world, source);
    if (status != AT_FAILED || !strstr(world->err.message, words))
        print_error("%s\n  gave %d %s %s\n", source, status, world->result, world->err.message);
    assert_int_equal(status, AT_FAILED);
    assert_non_null(strstr(world->err.message, words));
}

/* Milliseconds of work of this thread: a busy machine does not add to them. */
static inline double worked_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

#define assert_says(world, part)                                                                             \
    do {                                                                                                     \
        if (!strstr((world)->err.message, part))                                                             \
            fail_msg("\"%s\" does not say \"%s\"", (world)->err.message, part);                              \
    } while (0)

#endif
