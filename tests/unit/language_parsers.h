/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of the parser share: a text parsed by ours and by Lua's own, and whether they agree.
 */
#ifndef TESTS_UNIT_LANGUAGE_PARSERS_H
#define TESTS_UNIT_LANGUAGE_PARSERS_H

#include <lauxlib.h>
#include <lua.h>
#include "catalog_world.h"
#include "language/parse.h"

static lua_State *lua;
static struct at_arena arena;

struct verdict {
    bool is_ok;
    char message[600];
    uint32_t line, column, end_line; /* end_line: of what ours is about, in the source */
    struct at_node *block;
    struct at_fault *faults;
};

static inline void parse_ours(const char *text, size_t length, struct verdict *out) {
    at_arena_reset(&arena);
    memset(out, 0, sizeof *out);
    assert_int_equal(at_parse(&arena, (struct at_text){text, length}, &out->block, &out->faults), AT_OK);
    assert_non_null(out->block);
    out->is_ok = !out->faults;
    if (out->is_ok) return;
    out->line = out->end_line = out->faults->line;
    out->column = out->faults->column;
    assert_true(out->faults->message[0] && out->line && out->column);
    for (uint32_t at = out->faults->from; at < out->faults->to; at++) out->end_line += text[at] == '\n';
    snprintf(out->message, sizeof out->message, "%s", out->faults->message);
}

static inline void parse_lua(const char *text, size_t length, struct verdict *out) {
    memset(out, 0, sizeof *out);
    out->is_ok = luaL_loadbufferx(lua, text, length, "=t", "t") == LUA_OK;
    if (!out->is_ok) {
        const char *message = lua_tostring(lua, -1);
        char *rest;
        out->line = (uint32_t)strtoul(message + 2, &rest, 10);
        snprintf(out->message, sizeof out->message, "%s", rest[0] ? rest + 2 : message);
    }
    lua_settop(lua, 0);
}

/* Limits of Lua's code generator, which a parser need not know. */
static inline bool is_limit(const char *message) {
    return strstr(message, "registers") || strstr(message, "upvalues") || strstr(message, "too long") ||
           strstr(message, "overflow");
}

/* Lua tells these at the end of the function; the words changed within 5.4. */
static inline bool is_told_late(const char *message) {
    return strncmp(message, "break outside", 13) == 0 || strncmp(message, "no visible label", 16) == 0;
}

/* Up to the token, or to a line: of a jump Lua means the line of the label's name, of a function that of "(".
 */
static inline size_t before_near(const char *message) {
    static const char *const ends[] = {" near ", " at line ", " (to close "};
    size_t length = strlen(message);
    for (size_t i = 0; i < AT_LENGTH(ends); i++) {
        const char *end = strstr(message, ends[i]);
        if (end && (size_t)(end - message) < length) length = (size_t)(end - message);
    }
    return length;
}

static inline bool agree(const char *text, size_t length) {
    struct verdict ours, theirs;
    parse_ours(text, length, &ours);
    parse_lua(text, length, &theirs);
    if (!theirs.is_ok && is_limit(theirs.message)) return true;
    bool is_same = ours.is_ok == theirs.is_ok;
    if (is_same && !ours.is_ok && is_told_late(ours.message))
        is_same = is_told_late(theirs.message);
    else if (is_same && !ours.is_ok)
        is_same = before_near(ours.message) == before_near(theirs.message) &&
                  memcmp(ours.message, theirs.message, before_near(ours.message)) == 0;
    if (!is_same)
        printf("--- %.*s\n--- lua:  %s\n--- ours: %u:%u %s\n", (int)length, text,
               theirs.is_ok ? "accepts" : theirs.message, ours.line, ours.column,
               ours.is_ok ? "accepts" : ours.message);
    return is_same;
}

/* A group of tests, within the life of both. */
#define RUN_WITH_PARSERS(tests)                                                                              \
    lua = luaL_newstate();                                                                                   \
    if (!lua) return 1;                                                                                      \
    at_arena_init(&arena, 1 << 30);                                                                          \
    int failed = cmocka_run_group_tests(tests, NULL, NULL);                                                  \
    at_arena_clear(&arena);                                                                                  \
    lua_close(lua);                                                                                          \
    return failed

#endif
