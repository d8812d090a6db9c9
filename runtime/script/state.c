/* SPDX-License-Identifier: Apache-2.0
 *
 * The life of a state: made with its libraries, configured, collected between calls, closed. Called by
 * language/ once for each worker and generation. Owns the lua_State and the printed lines. One thread at a
 * time.
 */
#include "script/internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"

#define MEMORY_MAX_DEFAULT ((size_t)32 * 1024 * 1024)
#define DEBT_BYTES         ((size_t)4 * 1024 * 1024) /* garbage a call may leave before it collects by itself */
#define IDLE_DEBT_BYTES    ((size_t)256 * 1024)      /* garbage that is worth a cycle between calls */
#define PAUSE_MAX_PERCENT  1000

static int end_program(lua_State *L) {
    static const char TEXT[] = "attune: bug: a Lua error outside the door\n";
    (void)L;
    ssize_t written = write(STDERR_FILENO, TEXT, sizeof(TEXT) - 1);
    (void)written;
    abort();
}

static void log_warning(void *arg, const char *message, int to_be_continued) {
    const struct at_script *script = arg;
    if (script->log && !to_be_continued) at_log(script->log, AT_LOG_WARN, "script", "%s", message);
}

/* Start a cycle at 4 MiB of garbage, or at half of what the cap leaves: Lua wants that as a share of what
 * lives. */
static void set_pause(struct at_script *script) {
    size_t live = script->collected_bytes | 1, left = 0;
    if (script->memory.max_bytes > live) left = (script->memory.max_bytes - live) / 2;
    size_t debt = left < DEBT_BYTES ? left : DEBT_BYTES;
    size_t pause = 100 + debt * 100 / live;
    if (pause > PAUSE_MAX_PERCENT) pause = PAUSE_MAX_PERCENT;
    lua_gc(script->lua, LUA_GCINC, (int)pause, 200, 0);
}

static int open_state(lua_State *L) {
    at_script_sandbox_open(L);
    lua_gc(L, LUA_GCCOLLECT);
    return 0;
}

static enum at_status start_state(struct at_script *script, struct at_error *err) {
    script->lua = lua_newstate(at_script_allocate, script);
    if (!script->lua) return at_fail(err, AT_NOMEM, NULL, "no memory for a script state");
    lua_State *L = script->lua;
    *(struct at_script **)lua_getextraspace(L) = script;
    lua_atpanic(L, end_program);
    lua_setwarnf(L, log_warning, script);
    lua_pushcfunction(L, open_state);
    int status = lua_pcall(L, 0, 0, 0);
    AT_ASSERT(status == LUA_OK || status == LUA_ERRMEM);
    if (status != LUA_OK) return at_fail(err, AT_NOMEM, NULL, "no memory for a script state");
    script->collected_bytes = script->memory.used_bytes;
    set_pause(script);
    return AT_OK;
}

enum at_status at_script_new_failing(struct at_script **out, const struct at_script_options *options,
                                     uint64_t fail_at, bool is_forever, struct at_error *err) {
    *out = NULL;
    struct at_script *script = calloc(1, sizeof(*script));
    if (!script) return at_fail(err, AT_NOMEM, NULL, "no memory for a script state");
    script->guard = options->guard;
    script->log = options->log;
    script->memory.account = options->account;
    script->memory.max_bytes = options->memory_max ? options->memory_max : MEMORY_MAX_DEFAULT;
    script->memory.fail_at = fail_at;
    script->memory.is_failing_forever = is_forever;
    enum at_status status = start_state(script, err);
    if (status == AT_OK)
        *out = script;
    else
        at_script_free(script);
    return status;
}

enum at_status at_script_new(struct at_script **out, const struct at_script_options *options,
                             struct at_error *err) {
    return at_script_new_failing(out, options, 0, false, err);
}

void at_script_free(struct at_script *script) {
    if (!script) return;
    AT_ASSERT(!script->running);
    if (script->lua) lua_close(script->lua);
    at_script_memory_close(&script->memory);
    for (size_t i = 0; i < AT_LENGTH(script->prints); i++) free(script->prints[i]);
    free(script);
}

lua_State *at_script_lua(struct at_script *script) {
    return script->lua;
}

struct at_script *at_script_of(lua_State *L) {
    return *(struct at_script **)lua_getextraspace(L);
}

void at_script_set_host(struct at_script *script, void *host) {
    script->host = host;
}

void *at_script_host(lua_State *L) {
    return at_script_of(L)->host;
}

void at_script_set_guard(struct at_script *script, struct at_guard *guard) {
    AT_ASSERT(!script->running);
    script->guard = guard;
}

const char *at_script_release(void) {
    return LUA_RELEASE;
}

void at_script_watch_after(struct at_script *script, uint64_t soft_ns) {
    AT_ASSERT(!script->running);
    script->soft_ns = soft_ns;
}

uint64_t at_script_took_ns(const struct at_script *script) {
    return script->took_ns;
}

bool at_script_was_slow(const struct at_script *script, struct at_script_where *where) {
    const struct at_script_look *most = NULL;
    *where = (struct at_script_where){"", 0};
    for (uint32_t i = 0; i < script->look_count; i++)
        if (!most || script->looks[i].count > most->count) most = &script->looks[i];
    if (most) *where = most->where;
    return script->was_slow;
}

bool at_script_is_spent(const struct at_script *script) {
    return script->is_spent;
}

size_t at_script_used_bytes(const struct at_script *script) {
    return script->memory.used_bytes;
}

uint64_t at_script_last_instructions(const struct at_script *script) {
    return script->is_counting ? script->instructions : 0;
}

void at_script_count_instructions(struct at_script *script, uint64_t limit) {
    script->is_counting = true;
    script->instruction_limit = limit;
    script->counted = script->instructions = 0;
}

uint64_t at_script_stop_counting(struct at_script *script) {
    script->is_counting = false;
    script->instruction_limit = 0;
    return script->counted + script->instructions;
}

void at_script_collect(struct at_script *script, uint32_t max_us) {
    AT_ASSERT(!script->running);
    if (script->is_spent || script->memory.used_bytes < script->collected_bytes + IDLE_DEBT_BYTES) return;
    uint64_t end_ns = at_ticks_ns() + (uint64_t)max_us * 1000;
    do {
        if (!lua_gc(script->lua, LUA_GCSTEP, 0)) continue;
        script->collected_bytes = script->memory.used_bytes;
        set_pause(script);
        return;
    } while (at_ticks_ns() < end_ns);
}
