/* SPDX-License-Identifier: Apache-2.0
 *
 * nil is harmless: the metatables that nil, numbers and booleans share. In + and − a missing part is left
 * out, * / ^ of it are missing, order comparisons with it are no, reading a field of it is nil. Numbers and
 * booleans get the methods of words.c, so that product.price:above(100) means the same for one product and
 * for all.
 */
#include "language/state.h"

static bool is_text(lua_State *L) {
    return lua_type(L, 1) == LUA_TSTRING || lua_type(L, 2) == LUA_TSTRING;
}

static int refuse(lua_State *L) {
    const char *what = is_text(L)                                                         ? "a text"
                       : lua_type(L, 1) == LUA_TBOOLEAN || lua_type(L, 2) == LUA_TBOOLEAN ? "a yes or no"
                                                                                          : "this value";
    return at_script_raise(L, "%s cannot be calculated with", what);
}

static bool is_harmless(lua_State *L) {
    int other = lua_isnil(L, 1) ? 2 : 1;
    return lua_isnil(L, other) || lua_type(L, other) == LUA_TNUMBER;
}

static int l_add(lua_State *L) {
    if (is_column(L, 1) || is_column(L, 2)) return column_binary(L, AT_OP_ADD, AT_COLUMN_NUMBER);
    if (any_moving(L)) return moving_binary(L, AT_OP_ADD);
    if (!is_harmless(L)) return refuse(L);
    lua_pushvalue(L, lua_isnil(L, 1) ? 2 : 1);
    return 1;
}

static int l_sub(lua_State *L) {
    if (is_column(L, 1) || is_column(L, 2)) return column_binary(L, AT_OP_SUB, AT_COLUMN_NUMBER);
    if (any_moving(L)) return moving_binary(L, AT_OP_SUB);
    if (!is_harmless(L)) return refuse(L);
    if (lua_isnil(L, 2))
        lua_pushvalue(L, 1);
    else
        lua_pushnumber(L, -lua_tonumber(L, 2));
    return 1;
}

static int missing(lua_State *L, enum at_column_op op) {
    if (is_column(L, 1) || is_column(L, 2)) return column_binary(L, op, AT_COLUMN_NUMBER);
    if (any_moving(L)) return moving_binary(L, op);
    if (!is_harmless(L)) return refuse(L);
    lua_pushnil(L);
    return 1;
}
static int l_mul(lua_State *L) {
    return missing(L, AT_OP_MUL);
}
static int l_div(lua_State *L) {
    return missing(L, AT_OP_DIV);
}
static int l_pow(lua_State *L) {
    return missing(L, AT_OP_POW);
}
static int l_mod(lua_State *L) {
    return missing(L, any_moving(L) ? AT_OP_MUL : AT_OP_MOD);
}
static int l_idiv(lua_State *L) {
    return missing(L, any_moving(L) ? AT_OP_DIV : AT_OP_IDIV);
}
static int l_nothing(lua_State *L) {
    lua_pushnil(L);
    return 1;
}

static int l_no(lua_State *L) {
    lua_pushboolean(L, 0);
    return 1;
}

static int l_length(lua_State *L) {
    lua_pushinteger(L, 0);
    return 1;
}

static int l_call(lua_State *L) {
    return at_script_raise(L, "this is called like a function, but it is nil: is the name right?");
}

static int l_methods(lua_State *L) {
    push_methods(L);
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    return 1;
}

static int l_number_field(lua_State *L) {
    l_methods(L);
    return lua_isnil(L, -1) ? raise_field(L, "number", luaL_tolstring(L, 2, NULL)) : 1;
}

static const luaL_Reg nil_operators[] = {
    {"__add", l_add}, {"__sub", l_sub},    {"__mul", l_mul},     {"__div", l_div},        {"__pow", l_pow},
    {"__mod", l_mod}, {"__idiv", l_idiv},  {"__unm", l_nothing}, {"__concat", l_nothing}, {"__lt", l_no},
    {"__le", l_no},   {"__len", l_length}, {"__call", l_call},   {"__index", l_methods},  {NULL, NULL}};
static const luaL_Reg number_operators[] = {{"__index", l_number_field}, {NULL, NULL}};

static void share_metatable(lua_State *L, const luaL_Reg *functions) {
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

void install_operators(lua_State *L) {
    lua_pushnil(L);
    share_metatable(L, nil_operators);
    lua_pushnumber(L, 0);
    share_metatable(L, number_operators);
    lua_pushboolean(L, 0);
    share_metatable(L, number_operators);
}
