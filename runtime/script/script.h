/* SPDX-License-Identifier: Apache-2.0
 *
 * Lua 5.4 as an engine: sandboxed states, budgets, the one door into Lua. Knows nothing of shops: language/
 * puts the words in. One state belongs to one thread; one generation has one state on each worker.
 *
 * What a script can reach: assert error ipairs pairs next select tonumber tostring type pcall xpcall print,
 * read-only math string table utf8 (allow list: references lua.md §1.3), and what language/ adds. No load,
 * require, setmetatable, rawset, coroutine, io, os, debug. Every C function reachable is bounded in time and
 * memory: own pattern matcher, sort, rep, concat, insert, move-like loops poll the guard.
 */
#ifndef AT_SCRIPT_SCRIPT_H
#define AT_SCRIPT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/log.h"
#include "base/memory.h"
#include "base/status.h"
#include "loop/watchdog.h"

struct lua_State;
struct at_script;

struct at_script_options {
    size_t memory_max;          /* bytes of this state; 0: 32 MiB */
    struct at_account *account; /* AT_ACCOUNT_LUA; may be NULL */
    struct at_guard
        *guard; /* of the thread that will call; NULL: the count hook back end without deadline signal */
    const struct at_log *log;
};

enum at_status at_script_new(struct at_script **out, const struct at_script_options *options,
                             struct at_error *err) AT_MUST_CHECK;
void at_script_free(struct at_script *script);
struct lua_State *at_script_lua(struct at_script *script); /* for language/ only, inside the door */
struct at_script *at_script_of(struct lua_State *L);       /* from inside a binding */
/* One pointer language/ hangs on the state and reads back in its bindings. */
void at_script_set_host(struct at_script *script, void *host);
void *at_script_host(struct lua_State *L);
/* The state belongs to another guard from now on (it was built on another thread). */
void at_script_set_guard(struct at_script *script, struct at_guard *guard);

/* The door. Runs body(L, arg) under lua_pcall with the budget armed; everything that can raise happens inside
 * body. The Lua stack is as before on every path. AT_OK · AT_FAILED: a script's error, err->message
 * "scripts/a.lua:7: attempt to …" (merchant frames only, first position also in *where if not NULL) ·
 * AT_STOPPED: over budget · AT_NOMEM: over memory. After STOPPED or NOMEM the state is spent: the caller
 * answers by fallback and builds a new one. */
struct at_script_where {
    char path[120];
    int line;
};
enum at_status at_script_call(struct at_script *script, uint64_t budget_ns,
                              int (*body)(struct lua_State *L, void *arg), void *arg,
                              struct at_script_where *where, struct at_error *err) AT_MUST_CHECK;
bool at_script_is_spent(const struct at_script *script);
/* The next call is looked at once it has run for soft_ns: about ten times until its deadline it is noted
 * which line runs. Costs nothing before. 0, or not less than its budget: it is not. */
void at_script_watch_after(struct at_script *script, uint64_t soft_ns);
/* Of the last call: how long it took; if that was longer than it was to be watched after, true, and the line
 * most often met in *where (line 0: none of a script's). */
uint64_t at_script_took_ns(const struct at_script *script);
bool at_script_was_slow(const struct at_script *script, struct at_script_where *where);
const char *at_script_release(void); /* "Lua 5.4.4" */
size_t at_script_used_bytes(const struct at_script *script);
uint64_t at_script_last_instructions(const struct at_script *script); /* 0 unless counted */
/* Count VM instructions of every call from now on (tests with cost assertions); slow. limit 0: no limit. */
void at_script_count_instructions(struct at_script *script, uint64_t limit);
uint64_t at_script_stop_counting(struct at_script *script); /* those of all calls since then */
/* Outside requests: a slice of garbage collection of about max_us. */
void at_script_collect(struct at_script *script, uint32_t max_us);

/* Inside the door: push the chunk as a function whose globals are the state's sealed environment. Text only
 * (bytecode refused), ≤ 64 KiB, valid UTF-8, BOM and #! stripped, index chains ≤ 200, chunk name "@path".
 * Raises on error. */
#define AT_SCRIPT_FILE_MAX (64 * 1024)
void at_script_load(struct lua_State *L, const char *path, const char *text, size_t length);
/* The same as AT_INVALID with "path:line: message" instead of raising; compiles only, for checks. */
enum at_status at_script_compile(struct at_script *script, const char *path, const char *text, size_t length,
                                 int *line_out, struct at_error *err);

/* Inside the door, while building the environment (before at_script_seal): */
void at_script_push_globals(struct lua_State *L); /* the table that becomes the environment */
void at_script_push_string_methods(
    struct lua_State *L); /* private __index table of all strings ("x"):upper() */
/* An empty read-only table that reads from the table on top (replaces it); name is for messages: "math". */
void at_script_make_readonly(struct lua_State *L, const char *name);
/* From now on: an unknown global raises "unknown name 'prodct' — did you mean 'product'?", an assignment to a
 * global raises "write `local x = …`". */
void at_script_seal(struct lua_State *L);

/* For bindings: poll between long steps; raises when the budget is over. */
void at_script_poll(struct lua_State *L);
/* After a lua_pcall of a binding's own: raises on what ends the whole call (budget, memory, a failed
 * handler), and returns for an ordinary error. */
void at_script_pass_on(struct lua_State *L, int status);
/* lua_resume under the same budget: the limiter follows into the coroutine (made by language/; scripts cannot
 * make one). Returns as lua_resume; raises in L when the budget or the memory is gone. */
int at_script_resume(struct lua_State *L, struct lua_State *coroutine, int argument_count, int *result_count);
/* luaL_error with the position of the calling script line; for messages to merchants. */
int at_script_raise(struct lua_State *L, const char *fmt, ...) AT_PRINTF(2, 3);
/* Lua's own messages in words for people who do not program; writes into out (may equal in). */
void at_script_translate(const char *in, char *out, size_t out_size);
/* What scripts printed since the last call, at most 200 lines: fn for each line, oldest first. */
void at_script_take_prints(struct at_script *script, void (*fn)(void *arg, const char *line), void *arg);

#endif
