/* SPDX-License-Identifier: Apache-2.0
 *
 * The string library of scripts, bounded: no result above AT_SCRIPT_RESULT_MAX. find match gmatch gsub are in
 * find.c, format in format.c. Also arithmetic on texts that read as numbers, as stock Lua has it.
 */
#include "script/internal.h"

#include <string.h>

size_t at_script_start_position(lua_Integer position, size_t length) {
    if (position > 0) return (size_t)position;
    if (position == 0 || position < -(lua_Integer)length) return 1;
    return length + (size_t)position + 1;
}

size_t at_script_end_position(lua_State *L, int arg, lua_Integer missing, size_t length) {
    lua_Integer position = luaL_optinteger(L, arg, missing);
    if (position > (lua_Integer)length) return length;
    if (position >= 0) return (size_t)position;
    return position < -(lua_Integer)length ? 0 : length + (size_t)position + 1;
}

static int l_len(lua_State *L) {
    size_t length;
    luaL_checklstring(L, 1, &length);
    lua_pushinteger(L, (lua_Integer)length);
    return 1;
}

static int l_sub(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    size_t from = at_script_start_position(luaL_checkinteger(L, 2), length),
           to = at_script_end_position(L, 3, -1, length);
    if (to > from && to - from > AT_SCRIPT_POLL_BYTES) at_script_poll(L);
    if (from > to)
        lua_pushliteral(L, "");
    else
        lua_pushlstring(L, text + from - 1, to - from + 1);
    return 1;
}

/* A copy with each byte changed; texts above the limit are refused by the buffer. */
static int map_bytes(lua_State *L, unsigned char (*fn)(unsigned char c), bool is_reversed) {
    size_t length;
    struct at_script_buffer buffer;
    const char *text = luaL_checklstring(L, 1, &length);
    at_script_buffer_init(&buffer, L);
    char *out = at_script_buffer_room(&buffer, length);
    for (size_t i = 0; i < length; i++)
        out[i] = (char)fn((unsigned char)text[is_reversed ? length - 1 - i : i]);
    buffer.length = length;
    at_script_buffer_push(&buffer);
    return 1;
}
static unsigned char to_upper(unsigned char c) {
    return c >= 'a' && c <= 'z' ? (unsigned char)(c - 32) : c;
}
static unsigned char to_lower(unsigned char c) {
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}
static unsigned char as_is(unsigned char c) {
    return c;
}
static int l_upper(lua_State *L) {
    return map_bytes(L, to_upper, false);
}
static int l_lower(lua_State *L) {
    return map_bytes(L, to_lower, false);
}
static int l_reverse(lua_State *L) {
    return map_bytes(L, as_is, true);
}

static int l_rep(lua_State *L) {
    size_t length, between;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer times = luaL_checkinteger(L, 2);
    const char *separator = luaL_optlstring(L, 3, "", &between);
    struct at_script_buffer buffer;
    if (times <= 0 || length + between == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if ((lua_Unsigned)times > AT_SCRIPT_RESULT_MAX / (length + between) + 1)
        return at_script_raise(L, "the resulting text is longer than %d bytes", AT_SCRIPT_RESULT_MAX);
    at_script_buffer_init(&buffer, L);
    for (lua_Integer i = 0; i < times; i++) {
        at_script_poll_at(L, (lua_Unsigned)i);
        at_script_buffer_add(&buffer, text, length);
        if (i + 1 < times) at_script_buffer_add(&buffer, separator, between);
    }
    at_script_buffer_push(&buffer);
    return 1;
}

static int l_byte(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer first = luaL_optinteger(L, 2, 1);
    size_t from = at_script_start_position(first, length), to = at_script_end_position(L, 3, first, length);
    if (from > to) return 0;
    if (to - from >= 1000) return at_script_raise(L, "string.byte gives at most 1,000 values at once");
    luaL_checkstack(L, (int)(to - from + 1), "string slice too long");
    for (size_t i = from; i <= to; i++) lua_pushinteger(L, (unsigned char)text[i - 1]);
    return (int)(to - from + 1);
}

static int l_char(lua_State *L) {
    int count = lua_gettop(L);
    struct at_script_buffer buffer;
    at_script_buffer_init(&buffer, L);
    char *out = at_script_buffer_room(&buffer, (size_t)count);
    for (int i = 1; i <= count; i++) {
        lua_Unsigned c = (lua_Unsigned)luaL_checkinteger(L, i);
        luaL_argcheck(L, c <= 255, i, "value out of range");
        out[i - 1] = (char)c;
    }
    buffer.length = (size_t)count;
    at_script_buffer_push(&buffer);
    return 1;
}

void at_script_open_strings(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {
        {"byte", l_byte},   {"char", l_char}, {"format", at_script_format}, {"len", l_len},
        {"lower", l_lower}, {"rep", l_rep},   {"reverse", l_reverse},       {"sub", l_sub},
        {"upper", l_upper}, {NULL, NULL}};
    lua_createtable(L, 0, 16);
    luaL_setfuncs(L, FUNCTIONS, 0);
    luaL_setfuncs(L, at_script_find_functions, 0);
}

/* ---- "10" + 1 ---- */

static bool push_number(lua_State *L, int index) {
    size_t length;
    if (lua_type(L, index) == LUA_TNUMBER) {
        lua_pushvalue(L, index);
        return true;
    }
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : NULL;
    return text && lua_stringtonumber(L, text) == length + 1;
}

static int arithmetic(lua_State *L, int op, const char *event) {
    if (push_number(L, 1) && push_number(L, 2)) {
        lua_arith(L, op);
        return 1;
    }
    lua_settop(L, 2);
    if (lua_type(L, 2) != LUA_TSTRING && luaL_getmetafield(L, 2, event)) { /* a column, say */
        lua_insert(L, -3);
        lua_call(L, 2, 1);
        return 1;
    }
    int bad = lua_type(L, 1) == LUA_TSTRING && push_number(L, 1) ? 2 : 1;
    return at_script_raise(L, "attempt to do arithmetic on a %s value", luaL_typename(L, bad));
}
#define ARITHMETIC(name, op, event)                                                                          \
    static int name(lua_State *L) {                                                                          \
        return arithmetic(L, op, event);                                                                     \
    }
ARITHMETIC(l_add, LUA_OPADD, "__add")
ARITHMETIC(l_subtract, LUA_OPSUB, "__sub")
ARITHMETIC(l_mul, LUA_OPMUL, "__mul")
ARITHMETIC(l_mod, LUA_OPMOD, "__mod")
ARITHMETIC(l_pow, LUA_OPPOW, "__pow")
ARITHMETIC(l_div, LUA_OPDIV, "__div")
ARITHMETIC(l_idiv, LUA_OPIDIV, "__idiv")
static int l_negate(lua_State *L) {
    if (!push_number(L, 1))
        return at_script_raise(L, "attempt to do arithmetic on a %s value", luaL_typename(L, 1));
    lua_arith(L, LUA_OPUNM);
    return 1;
}

void at_script_set_arithmetic(lua_State *L) {
    static const luaL_Reg EVENTS[] = {{"__add", l_add},   {"__sub", l_subtract}, {"__mul", l_mul},
                                      {"__mod", l_mod},   {"__pow", l_pow},      {"__div", l_div},
                                      {"__idiv", l_idiv}, {"__unm", l_negate},   {NULL, NULL}};
    luaL_setfuncs(L, EVENTS, 0);
}
