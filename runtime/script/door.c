/* SPDX-License-Identifier: Apache-2.0
 *
 * The one door into Lua: arms the limiter, runs a body under lua_pcall, puts the stack back, says how it
 * ended. Called by language/ for every rule, hook and load. Outside the protected call only functions that
 * cannot raise are used.
 */
#include "script/internal.h"

#include <stdio.h>
#include <string.h>

struct door {
    int (*body)(lua_State *L, void *arg);
    void *arg;
};

static int run_body(lua_State *L) {
    const struct door *door = lua_touserdata(L, 1); /* on the C stack of at_script_call */
    lua_settop(L, 0);
    door->body(L, door->arg);
    return 0;
}

static int note_error(lua_State *L) {
    if (at_script_of(L)->end == AT_SCRIPT_END_NONE) at_script_failure_note(L, 1);
    lua_settop(L, 1);
    return 1;
}

static enum at_status report_memory(const struct at_script *script, struct at_error *err) {
    const struct at_script_memory *memory = &script->memory;
    if (memory->was_deep)
        return at_fail(err, AT_NOMEM, "script_memory",
                       "too much recursion: a function calls itself without end");
    if (memory->refusal == AT_SCRIPT_REFUSED_KEYS)
        return at_fail(err, AT_NOMEM, "script_memory",
                       "a table got more than %d keys; a list 1, 2, 3, … may be longer",
                       AT_SCRIPT_HASH_SLOTS_MAX);
    if (memory->refusal == AT_SCRIPT_REFUSED_TEXT)
        return at_fail(err, AT_NOMEM, "script_memory", "a text grew over %d MiB",
                       AT_SCRIPT_STRING_BYTES_MAX >> 20);
    return at_fail(err, AT_NOMEM, "script_memory", "the script used more than its %zu KiB of memory",
                   memory->max_bytes / 1024);
}

static enum at_status report_stop(const struct at_script *script, struct at_error *err) {
    const struct at_script_where *where = &script->failure_where;
    enum at_status status;
    if (script->instruction_limit && script->instructions > script->instruction_limit)
        status = at_fail(err, AT_STOPPED, "script_stopped", "stopped: it takes more than %llu instructions",
                         (unsigned long long)script->instruction_limit);
    else
        status = at_fail(err, AT_STOPPED, "script_stopped", "stopped: it ran longer than %.3g ms",
                         (double)script->budget_ns / 1e6);
    if (where->line) at_error_prefix(err, "%s:%d: ", where->path, where->line);
    return status;
}

static enum at_status report(struct at_script *script, int lua_status, struct at_error *err) {
    if (lua_status == LUA_ERRMEM && script->end == AT_SCRIPT_END_NONE) script->end = AT_SCRIPT_END_MEMORY;
    switch (script->end) {
    case AT_SCRIPT_END_STOPPED: script->is_spent = true; return report_stop(script, err);
    case AT_SCRIPT_END_MEMORY: script->is_spent = true; return report_memory(script, err);
    case AT_SCRIPT_END_HANDLER:
    case AT_SCRIPT_END_NONE: break;
    }
    if (lua_status == LUA_OK && script->end == AT_SCRIPT_END_NONE) return AT_OK;
    if (lua_status == LUA_ERRERR && !script->has_failure)
        return at_fail(err, AT_FAILED, "script_failed", "the script failed while it handled an error");
    return at_fail(err, AT_FAILED, "script_failed", "%s",
                   script->has_failure ? script->failure : "the script failed");
}

enum at_status at_script_call(struct at_script *script, uint64_t budget_ns,
                              int (*body)(lua_State *L, void *arg), void *arg, struct at_script_where *where,
                              struct at_error *err) {
    AT_ASSERT(!script->running);
    lua_State *L = script->lua;
    if (where) memset(where, 0, sizeof(*where));
    if (script->is_spent)
        return at_fail(err, AT_STOPPED, "script_spent", "this script state was stopped before");
    if (!budget_ns) return at_fail(err, AT_STOPPED, "script_stopped", "no time was left to run the script");
    script->has_failure = false;
    memset(&script->failure_where, 0, sizeof(script->failure_where));
    script->memory.refusal = AT_SCRIPT_REFUSED_NONE;
    script->memory.was_deep = false;
    struct door door = {body, arg};
    int top = lua_gettop(L);
    if (!lua_checkstack(L, 4)) return at_fail(err, AT_NOMEM, "script_memory", "no memory to call the script");
    at_script_limiter_enter(script, budget_ns);
    lua_pushcfunction(L, note_error);
    lua_pushcfunction(L, run_body);
    lua_pushlightuserdata(L, &door);
    int status = lua_pcall(L, 1, 0, top + 1);
    at_script_limiter_leave(script);
    lua_settop(L, top);
    enum at_status result = report(script, status, err);
    if (where && result != AT_OK) *where = script->failure_where;
    return result;
}
