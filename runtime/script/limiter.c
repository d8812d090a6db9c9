/* SPDX-License-Identifier: Apache-2.0
 *
 * Stops what runs too long, and sees what is about to. Two back ends: the guard's signal puts a hook on the
 * running state at the deadline (nothing is armed before: an armed hook doubles the cost of a loop), or a
 * count hook reads the clock itself. Called by the door and, for at_script_poll, by every long C loop. Once a
 * call has ended nothing of the script runs any more: the hook stays on every instruction, and our pcall
 * passes the error on. A call that is watched has earlier deadlines, at which the hook only notes the line
 * and goes again.
 */
#include "script/internal.h"

#include <string.h>

#include "base/time.h"

/* Its cost does not hang on the step; a single instruction may take milliseconds (two long texts compared).
 */
#define COUNT_STEP    30
#define BUDGET_MAX_NS (24ULL * 3600 * 1000000000)
#define HOOK_ALL      (LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT)

static void stop_at_hook(lua_State *L, lua_Debug *ar) {
    (void)ar;
    at_script_limiter_stop(L, AT_SCRIPT_END_STOPPED);
}

static void note_line(struct at_script *script, lua_State *L) {
    struct at_script_where where;
    if (!at_script_position_find(L, 0, &where)) return;
    uint32_t i = 0;
    while (i < script->look_count && (script->looks[i].where.line != where.line ||
                                      strcmp(script->looks[i].where.path, where.path) != 0))
        i++;
    if (i == AT_SCRIPT_LOOKS_MAX) return;
    if (i == script->look_count) script->looks[script->look_count++] = (struct at_script_look){where, 0};
    script->looks[i].count++;
}

/* The signal may put the hook that stops in this one's place until it is taken off: so the clock is asked
 * then. */
static void look_at_hook(lua_State *L, lua_Debug *ar) {
    (void)ar;
    struct at_script *script = at_script_of(L);
    note_line(script, L);
    lua_sethook(L, NULL, 0, 0);
    if (at_script_limiter_is_over(script)) at_script_limiter_stop(L, AT_SCRIPT_END_STOPPED);
}

/* In the signal handler: the deadline was one to look at. The next is set here, for the hook may never run.
 */
static void look_soon(struct at_script *script, lua_State *L, uint64_t now) {
    uint64_t next = now + script->look_step_ns;
    atomic_store(&script->guard->deadline_ns, next < script->deadline_ns ? next : script->deadline_ns);
    atomic_store(&script->guard->has_fired, 0);
    if (L) lua_sethook(L, look_at_hook, LUA_MASKCOUNT, 1);
}

/* In the signal handler, on the thread that runs the script. */
static void expire(void *arg) {
    struct at_script *script = arg;
    lua_State *L = script->running;
    uint64_t now = at_ticks_ns();
    if (now < script->deadline_ns) return look_soon(script, L, now);
    atomic_store_explicit(&script->guard->has_fired, 1, memory_order_relaxed);
    if (!L) return;
    lua_sethook(L, stop_at_hook, HOOK_ALL, 1);
    if (L != script->lua) lua_sethook(script->lua, stop_at_hook, HOOK_ALL, 1);
}

static bool has_signal(const struct at_script *script) {
    const struct at_guard *guard = script->guard;
    return guard && guard->watchdog && at_watchdog_signal(guard->watchdog);
}

bool at_script_limiter_is_over(const struct at_script *script) {
    if (script->end != AT_SCRIPT_END_NONE) return true;
    return script->deadline_ns && at_ticks_ns() >= script->deadline_ns;
}

static void count_at_hook(lua_State *L, lua_Debug *ar) {
    (void)ar;
    struct at_script *script = at_script_of(L);
    if (script->is_counting) {
        script->instructions++;
        if (script->instruction_limit && script->instructions > script->instruction_limit)
            at_script_limiter_stop(L, AT_SCRIPT_END_STOPPED);
        if (script->instructions % COUNT_STEP) return;
    }
    if (at_script_limiter_is_over(script)) at_script_limiter_stop(L, AT_SCRIPT_END_STOPPED);
    if (!script->next_look_ns || has_signal(script)) return;
    uint64_t now = at_ticks_ns();
    if (now < script->next_look_ns) return;
    script->next_look_ns = now + script->look_step_ns;
    note_line(script, L);
}

int at_script_limiter_stop(lua_State *L, enum at_script_end end) {
    struct at_script *script = at_script_of(L);
    if (script->end == AT_SCRIPT_END_NONE) {
        script->end = end;
        memset(&script->failure_where, 0, sizeof(script->failure_where));
        at_script_position_find(L, 0, &script->failure_where);
        if (script->next_look_ns)
            note_line(script, L); /* the last look, and on a busy machine the only one */
    }
    lua_sethook(L, stop_at_hook, HOOK_ALL, 1);
    if (L != script->lua) lua_sethook(script->lua, stop_at_hook, HOOK_ALL, 1);
    lua_pushboolean(L, 0); /* no message: making one takes memory */
    return lua_error(L);
}

void at_script_poll(lua_State *L) {
    struct at_script *script = at_script_of(L);
    if (script->running && at_script_limiter_is_over(script))
        at_script_limiter_stop(L, AT_SCRIPT_END_STOPPED);
}

void at_script_limiter_arm(struct at_script *script, lua_State *L) {
    if (script->end != AT_SCRIPT_END_NONE)
        lua_sethook(L, stop_at_hook, HOOK_ALL, 1);
    else if (script->is_counting)
        lua_sethook(L, count_at_hook, LUA_MASKCOUNT, 1);
    else if (!has_signal(script))
        lua_sethook(L, count_at_hook, LUA_MASKCOUNT, COUNT_STEP);
    else
        lua_sethook(L, NULL, 0, 0);
}

void at_script_limiter_enter(struct at_script *script, uint64_t budget_ns) {
    if (budget_ns > BUDGET_MAX_NS) budget_ns = BUDGET_MAX_NS;
    uint64_t soft_ns = script->soft_ns && script->soft_ns < budget_ns ? script->soft_ns : 0;
    script->budget_ns = budget_ns;
    script->entered_ns = at_ticks_ns();
    script->deadline_ns = script->entered_ns + budget_ns;
    script->next_look_ns = soft_ns ? script->entered_ns + soft_ns : 0;
    script->look_step_ns = soft_ns ? (budget_ns - soft_ns) / 10 + 1 : 0;
    script->look_count = 0;
    script->counted += script->instructions;
    script->instructions = 0;
    script->end = AT_SCRIPT_END_NONE;
    if (script->is_counting || !has_signal(script)) at_script_limiter_arm(script, script->lua);
    script->running = script->lua;
    if (!script->guard) return;
    AT_ASSERT(atomic_load(&script->guard->deadline_ns) == 0); /* a guard watches one call at a time */
    script->guard->expire = expire;
    script->guard->arg = script;
    at_guard_arm(script->guard, soft_ns ? script->next_look_ns : script->deadline_ns);
}

void at_script_limiter_leave(struct at_script *script) {
    if (script->guard) at_guard_disarm(script->guard);
    script->running = NULL;
    script->deadline_ns = 0;
    script->took_ns = at_ticks_ns() - script->entered_ns;
    script->was_slow = script->soft_ns && script->took_ns >= script->soft_ns;
    script->soft_ns = 0;
    if (lua_gethookmask(script->lua)) lua_sethook(script->lua, NULL, 0, 0);
}

int at_script_resume(lua_State *L, lua_State *coroutine, int argument_count, int *result_count) {
    struct at_script *script = at_script_of(L);
    lua_State *before = script->running;
    at_script_limiter_arm(script, coroutine);
    script->running = coroutine;
    at_script_poll(L); /* a deadline between the two lines above armed the wrong thread */
    int status = lua_resume(coroutine, L, argument_count, result_count);
    script->running = before;
    if (status == LUA_ERRMEM) at_script_limiter_stop(L, AT_SCRIPT_END_MEMORY);
    if (script->end != AT_SCRIPT_END_NONE) at_script_limiter_stop(L, script->end);
    return status;
}
