/* SPDX-License-Identifier: Apache-2.0
 *
 * assert error pcall select tonumber tostring type xpcall, and how a value reads as text. Scripts call them.
 * The invariant: what ended a call (deadline, memory) passes through pcall and xpcall, and a handler never
 * runs while hooks are off.
 */
#include "script/internal.h"

#include <string.h>

const char *at_script_type_name(lua_State *L, int index) {
    if (lua_isuserdata(L, index) && luaL_getmetafield(L, index, "__name") != LUA_TNIL) {
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        lua_pop(L, 1); /* the metatable holds it */
        if (name) return name;
    }
    return luaL_typename(L, index);
}

static bool push_own_text(lua_State *L, int index) {
    if (lua_type(L, index) == LUA_TSTRING || luaL_getmetafield(L, index, "__tostring") == LUA_TNIL)
        return false;
    if (!lua_iscfunction(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
    if (!lua_isstring(L, -1)) luaL_error(L, "'__tostring' must return a string");
    return true;
}

const char *at_script_push_text(lua_State *L, int index, size_t *length) {
    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, NULL);
    if (!push_own_text(L, index)) {
        switch (lua_type(L, index)) {
        case LUA_TNUMBER:
        case LUA_TSTRING: lua_pushvalue(L, index); break;
        case LUA_TBOOLEAN: lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false"); break;
        default: lua_pushstring(L, at_script_type_name(L, index)); break;
        }
    }
    return lua_tolstring(L, -1, length);
}

static int l_tostring(lua_State *L) {
    luaL_checkany(L, 1);
    at_script_push_text(L, 1, NULL);
    return 1;
}

static int l_type(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushstring(L, at_script_type_name(L, 1));
    return 1;
}

static int read_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'z') return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
    return 99;
}

/* Past the number and the blanks after it, or NULL. Wraps around as stock. */
static const char *read_in_base(const char *s, int base, lua_Integer *out) {
    static const char BLANKS[] = " \f\n\r\t\v";
    lua_Unsigned n = 0;
    s += strspn(s, BLANKS);
    bool is_negative = *s == '-';
    if (*s == '-' || *s == '+') s++;
    if (read_digit(*s) >= base) return NULL;
    for (; read_digit(*s) < base; s++) n = n * (lua_Unsigned)base + (lua_Unsigned)read_digit(*s);
    *out = (lua_Integer)(is_negative ? 0u - n : n);
    return s + strspn(s, BLANKS);
}

static int convert_plain(lua_State *L) {
    if (lua_type(L, 1) == LUA_TNUMBER) {
        lua_settop(L, 1);
        return 1;
    }
    size_t length = 0;
    const char *s = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &length) : NULL;
    if (length > AT_SCRIPT_POLL_BYTES) at_script_poll(L);
    if (s && lua_stringtonumber(L, s) == length + 1) return 1;
    luaL_checkany(L, 1);
    lua_pushnil(L);
    return 1;
}

static int l_tonumber(lua_State *L) {
    if (lua_isnoneornil(L, 2)) return convert_plain(L);
    size_t length;
    lua_Integer n = 0, base = luaL_checkinteger(L, 2);
    luaL_checktype(L, 1, LUA_TSTRING);
    const char *s = lua_tolstring(L, 1, &length);
    luaL_argcheck(L, 2 <= base && base <= 36, 2, "base out of range");
    if (read_in_base(s, (int)base, &n) == s + length)
        lua_pushinteger(L, n);
    else
        lua_pushnil(L);
    return 1;
}

static int l_select(lua_State *L) {
    lua_Integer count = lua_gettop(L);
    if (lua_type(L, 1) == LUA_TSTRING && *lua_tostring(L, 1) == '#') {
        lua_pushinteger(L, count - 1);
        return 1;
    }
    lua_Integer i = luaL_checkinteger(L, 1);
    if (i < 0)
        i = count + i;
    else if (i > count)
        i = count;
    luaL_argcheck(L, 1 <= i, 1, "index out of range");
    return (int)(count - i);
}

static int l_error(lua_State *L) {
    int level = (int)luaL_optinteger(L, 2, 1);
    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TSTRING && level > 0) {
        luaL_where(L, level);
        lua_pushvalue(L, 1);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int l_assert(lua_State *L) {
    if (lua_toboolean(L, 1)) return lua_gettop(L);
    luaL_checkany(L, 1);
    lua_remove(L, 1);
    lua_pushliteral(L, "assertion failed!");
    lua_settop(L, 1);
    return lua_error(L);
}

void at_script_pass_on(lua_State *L, int status) {
    if (status == LUA_OK || status == LUA_YIELD) return;
    if (status == LUA_ERRMEM) at_script_limiter_stop(L, AT_SCRIPT_END_MEMORY);
    if (status == LUA_ERRERR) at_script_limiter_stop(L, AT_SCRIPT_END_HANDLER);
    if (at_script_limiter_is_over(at_script_of(L))) at_script_limiter_stop(L, AT_SCRIPT_END_STOPPED);
}

/* skipped: stack slots below the answer. */
static int finish_pcall(lua_State *L, int status, lua_KContext skipped) {
    at_script_pass_on(L, status);
    if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)skipped;
    lua_pushboolean(L, 0);
    lua_pushvalue(L, -2);
    return 2;
}

static int l_pcall(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_pcall);
    return finish_pcall(L, status, 0);
}

static int finish_handler(lua_State *L, int status, lua_KContext context) {
    (void)context;
    at_script_pass_on(L, status);
    return lua_gettop(L) - 2; /* false, and what the handler gave or died of */
}

/* The stack is f, handler, then true and results, or the error: the handler runs after the unwinding, under
 * hooks. */
static int finish_xpcall(lua_State *L, int status, lua_KContext context) {
    (void)context;
    at_script_pass_on(L, status);
    if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 2;
    lua_replace(L, 3);
    lua_settop(L, 3);
    lua_pushboolean(L, 0);
    lua_pushvalue(L, 2);
    lua_rotate(L, 3, 2);
    status = lua_pcallk(L, 1, LUA_MULTRET, 0, 0, finish_handler);
    return finish_handler(L, status, 0);
}

static int l_xpcall(lua_State *L) {
    int count = lua_gettop(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    int status = lua_pcallk(L, count - 2, LUA_MULTRET, 0, 0, finish_xpcall);
    return finish_xpcall(L, status, 0);
}

void at_script_open_basics(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {{"assert", l_assert},     {"error", l_error},
                                         {"pcall", l_pcall},       {"print", at_script_print},
                                         {"select", l_select},     {"tostring", l_tostring},
                                         {"tonumber", l_tonumber}, {"type", l_type},
                                         {"xpcall", l_xpcall},     {NULL, NULL}};
    luaL_setfuncs(L, FUNCTIONS, 0);
    luaL_setfuncs(L, at_script_pair_functions, 0);
}
