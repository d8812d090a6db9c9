/* SPDX-License-Identifier: Apache-2.0
 *
 * A value of a test's code as JSON, the way a request would bring it: a list as a list, other tables as
 * objects with their keys in order, a product as its id. Runs inside the door.
 */
#include <stdlib.h>
#include <string.h>
#include "language/world.h"

#define DEPTH_MAX 8
#define KEYS_MAX  300

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_value(lua_State *L, struct at_json_out *out, int at, int depth);

static void put_list(lua_State *L, struct at_json_out *out, int at, int depth) {
    lua_Integer count = (lua_Integer)lua_rawlen(L, at);
    at_json_open(out, '[');
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, at, i);
        put_value(L, out, lua_gettop(L), depth + 1);
        lua_pop(L, 1);
        at_script_poll(L);
    }
    at_json_close(out, ']');
}

static void put_object(lua_State *L, struct at_json_out *out, int at, int depth) {
    const char *keys[KEYS_MAX];
    size_t count = 0;
    for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            at_script_raise(L, "a table here is a list or has names only: { name = value }");
        if (count == KEYS_MAX) at_script_raise(L, "a table here may have %d names", KEYS_MAX);
        keys[count++] = lua_tostring(L, -2);
    }
    qsort(keys, count, sizeof *keys, by_name);
    at_json_open(out, '{');
    for (size_t i = 0; i < count; i++) {
        at_json_key(out, keys[i]);
        lua_getfield(L, at, keys[i]);
        put_value(L, out, lua_gettop(L), depth + 1);
        lua_pop(L, 1);
    }
    at_json_close(out, '}');
}

/* What the world lends: a product is its id, a product's list its texts. */
static void put_view(lua_State *L, struct at_json_out *out, int at, int depth) {
    uint32_t index;
    enum view_kind kind = view_at(L, at, &index);
    if (kind == VIEW_PRODUCT) {
        at_json_put_text(out, at_root_id(language_of(L)->view->root, language_of(L)->rows[index]));
        return;
    }
    if (kind != VIEW_LIST) at_script_raise(L, "%s cannot be part of this", luaL_tolstring(L, at, NULL));
    lua_newtable(L);
    for (lua_Integer i = 1, count = luaL_len(L, at); i <= count; i++) {
        lua_geti(L, at, i);
        lua_rawseti(L, -2, i);
    }
    put_list(L, out, lua_gettop(L), depth);
    lua_pop(L, 1);
}

static void put_value(lua_State *L, struct at_json_out *out, int at, int depth) {
    size_t length;
    luaL_checkstack(L, 6, "nested tables");
    if (depth > DEPTH_MAX) at_script_raise(L, "tables are nested more than %d deep here", DEPTH_MAX);
    switch (lua_type(L, at)) {
    case LUA_TNIL: at_json_put_null(out); break;
    case LUA_TBOOLEAN: at_json_put_bool(out, lua_toboolean(L, at)); break;
    case LUA_TNUMBER: at_json_put_number(out, lua_tonumber(L, at)); break;
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, at, &length);
        at_json_put_text(out, (struct at_text){text, length});
        break;
    }
    case LUA_TTABLE:
        if (lua_rawlen(L, at))
            put_list(L, out, at, depth);
        else
            put_object(L, out, at, depth);
        break;
    case LUA_TLIGHTUSERDATA: put_view(L, out, at, depth); break;
    default: at_script_raise(L, "a function cannot be part of this");
    }
}

/* It failed at its bound, or far from it for want of memory. */
void world_check_text(lua_State *L, const struct at_world *world) {
    if (!world->text.failed) return;
    if (world->text.length < WORLD_TEXT_MAX / 2) at_script_raise(L, "out of memory");
    at_script_raise(L, "this is too much for a test: %d KiB are the most", (int)(WORLD_TEXT_MAX >> 10));
}

void world_put_json(lua_State *L, struct at_world *world, int at, struct at_json_out *out) {
    put_value(L, out, lua_absindex(L, at), 0);
    world_check_text(L, world);
}

struct at_json world_json_at(lua_State *L, struct at_world *world, int at) {
    struct at_json json = {0};
    struct at_error err = {0};
    struct at_json_out out = at_json_out(&world->text);
    at_bytes_reset(&world->text);
    world_put_json(L, world, at, &out);
    world_must(L,
               at_json_parse(world->value_parser, world->text.data, world->text.length, false, &json, &err),
               &err);
    return json;
}
