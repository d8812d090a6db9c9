/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of this room share: the state's struct, the limiter, positions, buffers, the library
 * openers. Included only from runtime/script/ and its tests. Everything that takes a lua_State may raise and
 * so runs inside the door, unless said otherwise. Light userdata are never handed to scripts nor followed:
 * they are handles of language/.
 */
#ifndef AT_SCRIPT_INTERNAL_H
#define AT_SCRIPT_INTERNAL_H

#include <lauxlib.h>
#include <lua.h>
#include "script/pattern.h"
#include "script/script.h"

#define AT_SCRIPT_RESULT_MAX   (1024 * 1024) /* bytes of any text a library function makes */
#define AT_SCRIPT_RANGE_MAX    1000000       /* elements a table function walks */
#define AT_SCRIPT_SORT_MAX     50000         /* elements of table.sort, keys of pairs */
#define AT_SCRIPT_CHAIN_MAX    200       /* a.b.c…: 5.4.4 recurses once for each when it names a value */
#define AT_SCRIPT_PRINTS_MAX   200       /* lines kept */
#define AT_SCRIPT_PRINT_BYTES  500       /* bytes of a line */
#define AT_SCRIPT_POLL_STEPS   1024      /* steps of a C loop between two polls */
#define AT_SCRIPT_POLL_BYTES   4096      /* a text longer than that is worth a poll by itself */
#define AT_SCRIPT_INTERNAL_DIR "stdlib/" /* chunks that are ours: positions skip them */
/* Integer keys are not seeded: one rehash of n colliding keys takes n²/2 steps that nothing can interrupt.
 * Measured: 2^13 slots 30 ms, 2^14 115 ms, 2^17 7 s. So a table has at most 2^13 = 8,192 entries besides its
 * list 1..n. */
#define AT_SCRIPT_HASH_SLOTS_MAX 8192
/* Hashing, comparing and copying a text is one uninterruptible step: about 1 ms for a MiB, 5 ms to compare
 * two full of zeros. */
#define AT_SCRIPT_STRING_BYTES_MAX (1024 * 1024)

/* Why a call ended; once set no script code runs until the door is left. */
enum at_script_end { AT_SCRIPT_END_NONE, AT_SCRIPT_END_STOPPED, AT_SCRIPT_END_MEMORY, AT_SCRIPT_END_HANDLER };
/* What the allocator refused last, for the message. */
enum at_script_refusal {
    AT_SCRIPT_REFUSED_NONE,
    AT_SCRIPT_REFUSED_TOTAL,
    AT_SCRIPT_REFUSED_KEYS,
    AT_SCRIPT_REFUSED_TEXT
};

struct at_script_memory {
    size_t used_bytes, max_bytes;
    size_t
        drawn_bytes; /* taken from the account, ≥ used_bytes; in steps, so that most calls touch no atomic */
    struct at_account *account;
    enum at_script_refusal refusal;
    bool was_deep;           /* over 10,000 calls deep when it refused */
    uint64_t growth_count;   /* of requests for more */
    uint64_t fail_at;        /* tests: refuse that request, 0: none */
    bool is_failing_forever; /* tests: and all after it */
};

struct at_script {
    lua_State *lua;
    lua_State *volatile running; /* read by the signal handler; NULL outside the door */
    struct at_guard *guard;
    const struct at_log *log;
    void *host;
    struct at_script_memory memory;
    uint64_t deadline_ns; /* 0: outside the door */
    uint64_t budget_ns;
    uint64_t instructions, instruction_limit;
    uint64_t counted;       /* instructions of the calls before, since counting began */
    size_t collected_bytes; /* in use when the last full collection ended */
    enum at_script_end end;
    bool is_counting, is_spent;
    bool has_failure;
    struct at_script_where failure_where;
    char failure[sizeof(((struct at_error *)0)->message)];
    char *prints[AT_SCRIPT_PRINTS_MAX];
    unsigned print_first, print_count;
};

/* at_script_new whose n-th request for memory fails (and all after it): the sweep of the tests. n 0: none. */
enum at_status at_script_new_failing(struct at_script **out, const struct at_script_options *options,
                                     uint64_t fail_at, bool is_forever, struct at_error *err) AT_MUST_CHECK;

/* memory.c: the lua_Alloc. */
void *at_script_allocate(void *arg, void *block, size_t old_size, size_t new_size);
void at_script_memory_close(struct at_script_memory *memory);

/* limiter.c */
void at_script_limiter_enter(struct at_script *script, uint64_t budget_ns);
void at_script_limiter_leave(struct at_script *script);
bool at_script_limiter_is_over(const struct at_script *script); /* any thread of the state, never raises */
void at_script_limiter_arm(struct at_script *script,
                           lua_State *L); /* the hook of the count back end, on a coroutine */
/* Marks the call as ended and raises; L has 2 free slots. */
int at_script_limiter_stop(lua_State *L, enum at_script_end end);

/* chain.c: does an expression index or nest too deeply for Lua's compiler? Then in which line. */
bool at_script_has_long_chain(const char *text, size_t length, int *line_out);

/* position.c. Never raise nor allocate. */
bool at_script_position_find(lua_State *L, int level,
                             struct at_script_where *out); /* first frame of a merchant's file */
/* "path:line: rest" → where, and the rest; NULL if it does not begin so. */
const char *at_script_position_parse(const char *message, struct at_script_where *out);
bool at_script_position_is_internal(const char *path);
/* Keep the error value at index for the door. */
void at_script_failure_note(lua_State *L, int index);

/* sandbox.c */
void at_script_sandbox_open(lua_State *L);
void at_script_push_environment(lua_State *L); /* what chunks see as _ENV */
/* Raise "math has no 'flor' — did you mean 'floor'?" for what the table on top lacks. */
void at_script_refuse_unknown(lua_State *L, const char *name);
/* The table to read at index: itself, or what a read-only table reads from (replaces it). False: not a table.
 */
bool at_script_unwrap(lua_State *L, int index);

/* The libraries: each leaves one table on the stack (open_basics fills the one on top). */
void at_script_open_basics(lua_State *L);
void at_script_open_strings(lua_State *L);
void at_script_open_tables(lua_State *L);
void at_script_open_math(lua_State *L);
void at_script_open_utf8(lua_State *L);
void at_script_set_arithmetic(lua_State *L);      /* "10" + 1, into the metatable on top */
extern const luaL_Reg at_script_pair_functions[]; /* ipairs pairs next */
extern const luaL_Reg at_script_find_functions[]; /* find match gmatch gsub */
int at_script_format(lua_State *L);
int at_script_sort(lua_State *L);
int at_script_print(lua_State *L);
/* Pushes the value's text as tostring gives it: no addresses. */
const char *at_script_push_text(lua_State *L, int index, size_t *length);
const char *at_script_type_name(lua_State *L, int index);
/* 1-based, negative from the end, as string.sub counts: the start clipped to ≥ 1, the end to ≤ length. */
size_t at_script_start_position(lua_Integer position, size_t length);
size_t at_script_end_position(lua_State *L, int arg, lua_Integer missing, size_t length);
/* A new table for a list of count. Not lua_createtable: some lengths look like a hash part to the allocator.
 */
static inline void at_script_push_list(lua_State *L, lua_Integer count) {
    bool is_like_hash = count > AT_SCRIPT_HASH_SLOTS_MAX && count % 3 == 0;
    lua_createtable(L, (int)count + is_like_hash, 0);
}
/* A poll every AT_SCRIPT_POLL_STEPS of a counter. */
static inline void at_script_poll_at(lua_State *L, lua_Unsigned step) {
    if (step % AT_SCRIPT_POLL_STEPS == AT_SCRIPT_POLL_STEPS - 1) at_script_poll(L);
}

/* Text under construction, ≤ AT_SCRIPT_RESULT_MAX. Memory beyond first[] is a userdata in one stack slot, so
 * that an error anywhere frees it. */
struct at_script_buffer {
    lua_State *L;
    char *data;
    size_t length, capacity;
    int slot;
    char first[512];
};
void at_script_buffer_init(struct at_script_buffer *buffer, lua_State *L); /* takes one stack slot */
char *at_script_buffer_room(struct at_script_buffer *buffer, size_t more); /* raises if too big */
void at_script_buffer_add(struct at_script_buffer *buffer, const char *data, size_t length);
void at_script_buffer_push(struct at_script_buffer *buffer); /* the string on top; the slot stays */

#endif
