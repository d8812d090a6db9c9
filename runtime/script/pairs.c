/* SPDX-License-Identifier: Apache-2.0
 *
 * ipairs, pairs, next: in an order that is the same on every machine (numbers ascending, texts bytewise,
 * false, true), because Lua's own order hangs on a seed. pairs walks a snapshot of the keys, so that a loop
 * may change the table. Scripts call them; objects of language/ bring __pairs and __ipairs of their own.
 */
#include "script/internal.h"

#include <string.h>

#define SMALL_COUNT 32

enum key_rank { RANK_NUMBER, RANK_TEXT, RANK_BOOLEAN };
struct key {
    uint32_t index; /* in the table of keys */
    uint8_t rank;
    bool is_integer;
    size_t length;
    union {
        lua_Integer integer;
        lua_Number number;
        const char *text;
    } as;
};

static void read_key(lua_State *L, int index, struct key *key) {
    memset(key, 0, sizeof(*key));
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        key->rank = RANK_NUMBER;
        key->is_integer = lua_isinteger(L, index);
        if (key->is_integer)
            key->as.integer = lua_tointeger(L, index);
        else
            key->as.number = lua_tonumber(L, index);
        return;
    case LUA_TSTRING:
        key->rank = RANK_TEXT;
        key->as.text = lua_tolstring(L, index, &key->length);
        return;
    case LUA_TBOOLEAN:
        key->rank = RANK_BOOLEAN;
        key->as.integer = lua_toboolean(L, index);
        return;
    default:
        at_script_raise(L, "keys of type %s have no order: use texts or numbers as keys",
                        luaL_typename(L, index));
    }
}

static int compare_numbers(const struct key *a, const struct key *b) {
    if (a->is_integer && b->is_integer)
        return (a->as.integer > b->as.integer) - (a->as.integer < b->as.integer);
    lua_Number x = a->is_integer ? (lua_Number)a->as.integer : a->as.number;
    lua_Number y = b->is_integer ? (lua_Number)b->as.integer : b->as.number;
    if (x != y) return x < y ? -1 : 1;
    return b->is_integer - a->is_integer; /* 2^53 + 1 and 2.0^53 */
}

static int compare_keys(const struct key *a, const struct key *b) {
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    if (a->rank == RANK_NUMBER) return compare_numbers(a, b);
    if (a->rank == RANK_BOOLEAN) return (int)(a->as.integer - b->as.integer);
    size_t n = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->as.text, b->as.text, n);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

static void insert_sort(struct key *keys, size_t count) {
    for (size_t i = 1; i < count; i++) {
        struct key key = keys[i];
        size_t j = i;
        for (; j && compare_keys(&key, &keys[j - 1]) < 0; j--) keys[j] = keys[j - 1];
        keys[j] = key;
    }
}

static void merge(const struct key *from, struct key *to, size_t low, size_t middle, size_t high) {
    size_t left = low, right = middle;
    for (size_t i = low; i < high; i++) {
        bool is_left = left < middle && (right >= high || compare_keys(&from[left], &from[right]) <= 0);
        to[i] = is_left ? from[left++] : from[right++];
    }
}

static size_t at_most(size_t a, size_t b) {
    return a < b ? a : b;
}

/* keys and spare hold count each; the sorted half is returned. */
static struct key *merge_sort(lua_State *L, struct key *keys, struct key *spare, size_t count) {
    for (size_t i = 0; i < count; i += SMALL_COUNT) insert_sort(keys + i, at_most(SMALL_COUNT, count - i));
    for (size_t width = SMALL_COUNT; width < count; width *= 2) {
        for (size_t i = 0; i < count; i += 2 * width) {
            merge(keys, spare, i, at_most(i + width, count), at_most(i + 2 * width, count));
            if (width >= AT_SCRIPT_POLL_STEPS || i % AT_SCRIPT_POLL_STEPS == 0) at_script_poll(L);
        }
        struct key *sorted = spare;
        spare = keys;
        keys = sorted;
    }
    return keys;
}

/* Pushes the list of the keys of the table at index; *is_sorted: they came as ascending integers. */
static size_t collect_keys(lua_State *L, int index, bool *is_sorted) {
    size_t count = 0, hint = lua_rawlen(L, index);
    lua_Integer last = LUA_MININTEGER;
    at_script_push_list(L, (lua_Integer)at_most(hint, AT_SCRIPT_SORT_MAX));
    int list = lua_gettop(L);
    *is_sorted = true;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (++count > AT_SCRIPT_SORT_MAX)
            at_script_raise(L, "the table has more than %d entries: too many for pairs", AT_SCRIPT_SORT_MAX);
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < last)
            *is_sorted = false;
        else
            last = lua_tointeger(L, -1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, list, (lua_Integer)count);
        at_script_poll_at(L, count);
    }
    return count;
}

/* Replaces the list of keys on top by a sorted one. */
static void sort_list(lua_State *L, size_t count) {
    int list = lua_gettop(L);
    struct key small[SMALL_COUNT], *keys = small;
    if (count > SMALL_COUNT) keys = lua_newuserdatauv(L, 2 * count * sizeof(struct key), 0);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, list, (lua_Integer)i + 1); /* the list keeps the text alive */
        read_key(L, -1, &keys[i]);
        keys[i].index = (uint32_t)i + 1;
        lua_pop(L, 1);
    }
    if (count > SMALL_COUNT)
        keys = merge_sort(L, keys, keys + count, count);
    else
        insert_sort(keys, count);
    at_script_push_list(L, (lua_Integer)count);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, list, keys[i].index);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_replace(L, list);
    lua_settop(L, list);
}

/* Upvalues: the table, its keys, the place of the last one given. */
static int next_pair(lua_State *L) {
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(3));
    for (;;) {
        lua_settop(L, 0);
        if (lua_rawgeti(L, lua_upvalueindex(2), ++i) == LUA_TNIL) return 1;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) break; /* else removed meanwhile */
        at_script_poll_at(L, (lua_Unsigned)i);
    }
    lua_pushinteger(L, i);
    lua_replace(L, lua_upvalueindex(3));
    return 2;
}

static int no_pair(lua_State *L) {
    lua_pushnil(L);
    return 1;
}

/* nil has nothing in it; an object brings its own iteration. False: neither. */
static bool push_foreign(lua_State *L, const char *event) {
    luaL_checkany(L, 1);
    if (lua_isnil(L, 1)) {
        lua_pushcfunction(L, no_pair);
        lua_pushnil(L);
        lua_pushnil(L);
        return true;
    }
    if (!lua_isuserdata(L, 1) || luaL_getmetafield(L, 1, event) == LUA_TNIL) return false;
    if (!lua_iscfunction(L, -1)) return false;
    lua_pushvalue(L, 1);
    lua_call(L, 1, 3);
    return true;
}

static int l_pairs(lua_State *L) {
    if (!at_script_unwrap(L, 1)) {
        if (push_foreign(L, "__pairs")) return 3;
        return luaL_typeerror(L, 1, "table");
    }
    bool is_sorted;
    lua_settop(L, 1);
    size_t count = collect_keys(L, 1, &is_sorted);
    if (!is_sorted) sort_list(L, count);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_pair, 3);
    return 1;
}

static int next_item(lua_State *L) {
    lua_Integer i = luaL_checkinteger(L, 2);
    if (!at_script_unwrap(L, 1)) return luaL_typeerror(L, 1, "table");
    i = (lua_Integer)((lua_Unsigned)i + 1);
    lua_pushinteger(L, i);
    return lua_rawgeti(L, 1, i) == LUA_TNIL ? 1 : 2;
}

/* Answers the table it was given: what a read-only one reads from must not get into a script's hands. */
static int l_ipairs(lua_State *L) {
    if (lua_type(L, 1) != LUA_TTABLE) {
        if (push_foreign(L, "__ipairs")) return 3;
        return luaL_typeerror(L, 1, "table");
    }
    lua_pushcfunction(L, next_item);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

/* The smallest key after the given one: one walk over the table for each call. */
static int l_next(lua_State *L) {
    struct key after, key, best;
    bool has_best = false, is_first = lua_isnoneornil(L, 2);
    size_t count = 0;
    if (!at_script_unwrap(L, 1)) luaL_typeerror(L, 1, "table");
    lua_settop(L, 2);
    if (!is_first) read_key(L, 2, &after);
    lua_pushnil(L); /* 3: the best */
    lua_pushnil(L);
    while (lua_next(L, 1)) {
        lua_pop(L, 1);
        at_script_poll_at(L, ++count);
        read_key(L, -1, &key);
        if (!is_first && compare_keys(&key, &after) <= 0) continue;
        if (has_best && compare_keys(&key, &best) >= 0) continue;
        best = key;
        has_best = true;
        lua_copy(L, -1, 3);
    }
    lua_settop(L, 3);
    if (!has_best) return 1;
    lua_pushvalue(L, 3);
    lua_rawget(L, 1);
    return 2;
}

const luaL_Reg at_script_pair_functions[] = {
    {"ipairs", l_ipairs}, {"next", l_next}, {"pairs", l_pairs}, {NULL, NULL}};
