/* SPDX-License-Identifier: Apache-2.0
 *
 * The table library of scripts: raw access, ranges and counts bounded, sort with polls. Read-only tables can
 * be read.
 */
#include "script/internal.h"

#include <string.h>

#define UNPACK_MAX 1000

static lua_Integer length_of(lua_State *L, int index) {
    luaL_checktype(L, index, LUA_TTABLE);
    lua_Integer length = (lua_Integer)lua_rawlen(L, index);
    if (length > AT_SCRIPT_RANGE_MAX) at_script_raise(L, "the list is longer than %d", AT_SCRIPT_RANGE_MAX);
    return length;
}

/* A table to change: one of ours is read-only and says so by its own metamethod. */
static void check_own(lua_State *L, int index) {
    luaL_checktype(L, index, LUA_TTABLE);
    if (!lua_getmetatable(L, index)) return;
    lua_pop(L, 1);
    at_script_raise(L, "this table is read-only");
}

static int l_insert(lua_State *L) {
    check_own(L, 1);
    lua_Integer end = length_of(L, 1) + 1, place = end;
    switch (lua_gettop(L)) {
    case 2: break;
    case 3:
        place = luaL_checkinteger(L, 2);
        luaL_argcheck(L, (lua_Unsigned)place - 1u < (lua_Unsigned)end, 2, "position out of bounds");
        for (lua_Integer i = end; i > place; i--) {
            at_script_poll_at(L, (lua_Unsigned)i);
            lua_rawgeti(L, 1, i - 1);
            lua_rawseti(L, 1, i);
        }
        break;
    default: return at_script_raise(L, "wrong number of arguments to 'insert'");
    }
    lua_rawseti(L, 1, place);
    return 0;
}

static int l_remove(lua_State *L) {
    check_own(L, 1);
    lua_Integer size = length_of(L, 1), place = luaL_optinteger(L, 2, size);
    if (!lua_isnone(L, 2))
        luaL_argcheck(L, (lua_Unsigned)size + 1u - (lua_Unsigned)place <= (lua_Unsigned)size + (size == 0), 2,
                      "position out of bounds");
    lua_rawgeti(L, 1, place);
    for (; place < size; place++) {
        at_script_poll_at(L, (lua_Unsigned)place);
        lua_rawgeti(L, 1, place + 1);
        lua_rawseti(L, 1, place);
    }
    if (place >= 1) {
        lua_pushnil(L);
        lua_rawseti(L, 1, place);
    }
    return 1;
}

static int l_concat(lua_State *L) {
    size_t between;
    struct at_script_buffer buffer;
    at_script_unwrap(L, 1);
    lua_Integer size = length_of(L, 1);
    const char *separator = luaL_optlstring(L, 2, "", &between);
    lua_Integer from = luaL_optinteger(L, 3, 1), to = luaL_optinteger(L, 4, size);
    if (to >= from && (lua_Unsigned)to - (lua_Unsigned)from >= AT_SCRIPT_RANGE_MAX)
        return at_script_raise(L, "too many values to join");
    at_script_buffer_init(&buffer, L);
    for (lua_Integer i = from; i <= to; i++) {
        size_t length;
        at_script_poll_at(L, (lua_Unsigned)(i - from));
        lua_rawgeti(L, 1, i);
        if (!lua_isstring(L, -1))
            return at_script_raise(L, "invalid value (a %s) at index %lld in table for 'concat'",
                                   luaL_typename(L, -1), (long long)i);
        const char *text = lua_tolstring(L, -1, &length);
        at_script_buffer_add(&buffer, text, length);
        lua_pop(L, 1);
        if (i < to) at_script_buffer_add(&buffer, separator, between);
        if (i == LUA_MAXINTEGER) break;
    }
    at_script_buffer_push(&buffer);
    return 1;
}

static int l_pack(lua_State *L) {
    int count = lua_gettop(L);
    lua_createtable(L, count, 1);
    lua_insert(L, 1);
    for (int i = count; i >= 1; i--) lua_rawseti(L, 1, i);
    lua_pushinteger(L, count);
    lua_setfield(L, 1, "n");
    return 1;
}

static int l_unpack(lua_State *L) {
    at_script_unwrap(L, 1);
    lua_Integer size = length_of(L, 1), from = luaL_optinteger(L, 2, 1), to = luaL_optinteger(L, 3, size);
    if (from > to) return 0;
    if ((lua_Unsigned)to - (lua_Unsigned)from >= UNPACK_MAX || !lua_checkstack(L, UNPACK_MAX + 1))
        return at_script_raise(L, "too many results to unpack: at most %d", UNPACK_MAX);
    int count = (int)((lua_Unsigned)to - (lua_Unsigned)from) + 1;
    for (int i = 0; i < count; i++) lua_rawgeti(L, 1, from + i); /* to may be the greatest integer */
    return count;
}

/* ---- sort: merging, so that a comparator that lies only gives a strange order ---- */

/* Is the value at index a before that at index b? */
static bool is_before(lua_State *L, int a, int b) {
    if (lua_isnil(L, 2)) {
        if (lua_type(L, a) == LUA_TSTRING && lua_rawlen(L, a) > AT_SCRIPT_POLL_BYTES) at_script_poll(L);
        return lua_compare(L, a, b, LUA_OPLT);
    }
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a);
    lua_pushvalue(L, b);
    lua_call(L, 2, 1);
    bool result = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return result;
}

/* from (3) low..high in two sorted halves into to (4). */
static void merge(lua_State *L, int from, int to, lua_Integer low, lua_Integer middle, lua_Integer high) {
    lua_Integer i = low, j = middle;
    for (lua_Integer at = low; at < high; at++) {
        at_script_poll_at(L, (lua_Unsigned)at);
        bool takes_right = i >= middle;
        if (!takes_right && j < high) {
            lua_rawgeti(L, from, j + 1);
            lua_rawgeti(L, from, i + 1);
            int top = lua_gettop(L);
            takes_right = is_before(L, top - 1, top);
            lua_settop(L, top - 2);
        }
        lua_rawgeti(L, from, (takes_right ? j++ : i++) + 1);
        lua_rawseti(L, to, at + 1);
    }
}

int at_script_sort(lua_State *L) {
    check_own(L, 1);
    lua_Integer count = length_of(L, 1);
    if (count > AT_SCRIPT_SORT_MAX)
        return at_script_raise(L, "a list of %lld is too long to sort: at most %d", (long long)count,
                               AT_SCRIPT_SORT_MAX);
    if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    at_script_push_list(L, count);
    at_script_push_list(L, count);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i);
        lua_rawseti(L, 3, i);
    }
    int from = 3, to = 4;
    for (lua_Integer width = 1; width < count; width *= 2) {
        for (lua_Integer low = 0; low < count; low += 2 * width) {
            lua_Integer middle = low + width < count ? low + width : count,
                        high = low + 2 * width < count ? low + 2 * width : count;
            merge(L, from, to, low, middle, high);
        }
        int swap = from;
        from = to;
        to = swap;
    }
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, from, i);
        lua_rawseti(L, 1, i);
    }
    return 0;
}

void at_script_open_tables(lua_State *L) {
    static const luaL_Reg FUNCTIONS[] = {{"concat", l_concat}, {"insert", l_insert},     {"pack", l_pack},
                                         {"remove", l_remove}, {"sort", at_script_sort}, {"unpack", l_unpack},
                                         {NULL, NULL}};
    lua_createtable(L, 0, 8);
    luaL_setfuncs(L, FUNCTIONS, 0);
}
