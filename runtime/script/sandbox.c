/* SPDX-License-Identifier: Apache-2.0
 *
 * What scripts see: the environment, read-only tables, the metatable of texts. state.c opens it; language/
 * adds to it and seals it. Scripts get an empty table as _ENV that reads from the real globals, so that
 * nothing they hold can be written; no metatable is reachable from a script.
 */
#include "script/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define NAMES_MAX 1024

/* Their addresses are the keys in the registry and in metatables. */
static const char ENVIRONMENT_KEY, GLOBALS_KEY, METHODS_KEY, CONTENT_KEY;

void at_script_push_globals(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &GLOBALS_KEY);
}

void at_script_push_string_methods(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &METHODS_KEY);
}

void at_script_push_environment(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &ENVIRONMENT_KEY);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The nearest text key of the table at index 1; borrowed from the table. */
static const char *suggest_key(lua_State *L, const char *name) {
    const char *names[NAMES_MAX];
    size_t count = 0;
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        if (count < NAMES_MAX && lua_type(L, -2) == LUA_TSTRING) names[count++] = lua_tostring(L, -2);
        lua_pop(L, 1);
    }
    qsort(names, count, sizeof(names[0]), compare_names); /* ties must not hang on the hash seed */
    return at_suggest(name, names, count);
}

/* __index(table, key); upvalue: the table's name, or nil for the globals. */
static int refuse_read(lua_State *L) {
    const char *owner = lua_tostring(L, lua_upvalueindex(1));
    if (lua_type(L, 2) != LUA_TSTRING)
        return at_script_raise(L, "%s has no entry of type %s", owner ? owner : "_ENV", luaL_typename(L, 2));
    const char *name = lua_tostring(L, 2);
    const char *near = suggest_key(L, name);
    if (owner && near) return at_script_raise(L, "%s has no '%.80s' — did you mean '%s'?", owner, name, near);
    if (owner) return at_script_raise(L, "%s has no '%.80s'", owner, name);
    if (near) return at_script_raise(L, "unknown name '%.80s' — did you mean '%s'?", name, near);
    return at_script_raise(L, "unknown name '%.80s'", name);
}

/* __newindex(table, key, value) of a read-only table; upvalue: its name. */
static int refuse_write(lua_State *L) {
    const char *owner = lua_tostring(L, lua_upvalueindex(1));
    if (lua_type(L, 2) == LUA_TSTRING)
        return at_script_raise(L, "%s is read-only: '%.80s' cannot be set", owner, lua_tostring(L, 2));
    return at_script_raise(L, "%s is read-only", owner);
}

/* __newindex of the sealed environment. */
static int refuse_global(lua_State *L) {
    if (lua_type(L, 2) != LUA_TSTRING) return at_script_raise(L, "_ENV is read-only");
    const char *name = lua_tostring(L, 2);
    at_script_push_globals(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL)
        return at_script_raise(
            L,
            "'%.80s' is a word of the language and cannot be set: choose another name and write "
            "`local my_%.80s = …`",
            name, name);
    return at_script_raise(L, "unknown name '%.80s': to keep a value write `local %.80s = …`", name, name);
}

static int read_length(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)lua_rawlen(L, lua_upvalueindex(1)));
    return 1;
}

void at_script_refuse_unknown(lua_State *L, const char *name) {
    lua_createtable(L, 0, 1);
    lua_pushstring(L, name);
    lua_pushcclosure(L, refuse_read, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

void at_script_make_readonly(lua_State *L, const char *name) {
    luaL_checkstack(L, 4, NULL);
    int content = lua_gettop(L);
    lua_createtable(L, 0, 0);
    lua_createtable(L, 0, 4);
    lua_pushvalue(L, content);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, content);
    lua_rawsetp(L, -2, &CONTENT_KEY);
    lua_pushvalue(L, content);
    lua_pushcclosure(L, read_length, 1);
    lua_setfield(L, -2, "__len");
    lua_pushstring(L, name);
    lua_pushcclosure(L, refuse_write, 1);
    lua_setfield(L, -2, "__newindex");
    lua_setmetatable(L, -2);
    lua_replace(L, content);
}

bool at_script_unwrap(lua_State *L, int index) {
    if (lua_type(L, index) != LUA_TTABLE) return false;
    if (!lua_getmetatable(L, index)) return true;
    if (lua_rawgetp(L, -1, &CONTENT_KEY) == LUA_TTABLE) {
        lua_replace(L, index);
        lua_pop(L, 1);
    } else {
        lua_pop(L, 2);
    }
    return true;
}

static void add_library(lua_State *L, void (*open)(lua_State *L), const char *name) {
    open(L);
    at_script_refuse_unknown(L, name);
    at_script_make_readonly(L, name);
    lua_setfield(L, -2, name);
}

static void copy_table(lua_State *L, int from, int to) {
    lua_pushnil(L);
    while (lua_next(L, from)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, to);
    }
}

/* ("x"):upper() reads a table that no script can name; string.upper reads its twin. */
static void open_string_metatable(lua_State *L) {
    lua_createtable(L, 0, 16);
    int methods = lua_gettop(L);
    at_script_open_strings(L);
    copy_table(L, methods + 1, methods);
    lua_settop(L, methods);
    at_script_refuse_unknown(L, "a text");
    lua_pushvalue(L, methods);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &METHODS_KEY);
    lua_pushliteral(L, "");
    lua_createtable(L, 0, 12);
    at_script_set_arithmetic(L);
    lua_pushvalue(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "string");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_settop(L, methods - 1);
}

/* Until it is sealed, assignments in chunks of stdlib/ make globals. */
static void open_environment(lua_State *L, int globals) {
    lua_createtable(L, 0, 0);
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, globals);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, globals);
    lua_setfield(L, -2, "__newindex");
    lua_pushvalue(L, globals);
    lua_rawsetp(L, -2, &CONTENT_KEY);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &ENVIRONMENT_KEY);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}

void at_script_sandbox_open(lua_State *L) {
    lua_createtable(L, 0, 64);
    int globals = lua_gettop(L);
    at_script_open_basics(L);
    add_library(L, at_script_open_strings, "string");
    add_library(L, at_script_open_tables, "table");
    add_library(L, at_script_open_math, "math");
    add_library(L, at_script_open_utf8, "utf8");
    lua_pushvalue(L, globals);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &GLOBALS_KEY);
    open_environment(L, globals);
    open_string_metatable(L);
    lua_settop(L, globals - 1);
}

void at_script_seal(lua_State *L) {
    at_script_push_globals(L);
    at_script_refuse_unknown(L, NULL);
    at_script_push_environment(L);
    lua_getmetatable(L, -1);
    lua_pushcfunction(L, refuse_global);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 3);
}
