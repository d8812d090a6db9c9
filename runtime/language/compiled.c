/* SPDX-License-Identifier: Apache-2.0
 *
 * A compiled rule's text as a function of this state: loaded when the rule is first judged, with what the
 * rule itself and the functions it calls have as upvalues. Those do not change any more: a function may not
 * assign to a local of its file.
 */
#include <string.h>
#include "language/compile.h"
#include "language/state.h"

static const char compiled_key, *const compiled_address = &compiled_key;

/* The upvalue of that name of the function at the place; false: none, or several. */
static bool push_upvalue(lua_State *L, int function, const char *wanted) {
    const char *name;
    int found = 0;
    for (int i = 1; lua_type(L, function) == LUA_TFUNCTION && (name = lua_getupvalue(L, function, i)); i++) {
        lua_pop(L, 1);
        if (strcmp(name, wanted) != 0) continue;
        if (found) return false;
        found = i;
    }
    if (!found) return false;
    lua_getupvalue(L, function, found);
    return true;
}

/* What a rule that looks at nothing else may name and still give the same graph again. */
static bool is_lasting_value(lua_State *L, int at) {
    int type = lua_type(L, at);
    return type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TBOOLEAN || type == LUA_TNIL;
}

static bool push_links(lua_State *L, const struct at_compiled *compiled, int rule, bool *is_lasting) {
    int first = lua_gettop(L) + 1;
    luaL_checkstack(L, AT_LINKS_MAX + 8, NULL);
    for (uint32_t i = 0; i < compiled->link_count; i++) {
        const struct at_link *link = &compiled->links[i];
        if (!push_upvalue(L, link->owner < 0 ? rule : first + link->owner, link->name)) return false;
        bool owns = false;
        for (uint32_t k = i + 1; k < compiled->link_count; k++) owns |= compiled->links[k].owner == (int)i;
        *is_lasting &= owns || lua_type(L, -1) == LUA_TFUNCTION || is_lasting_value(L, -1);
    }
    return true;
}

/* Pushes { function, whether it is lasting }, or false. */
static void make(lua_State *L, const struct at_rule_use *use) {
    const struct at_compiled *compiled = use->report->compiled;
    bool is_lasting = compiled->is_closed;
    int top = lua_gettop(L), count = 0;
    luaL_checkstack(L, AT_LINKS_MAX + 40, NULL);
    push_function(L, use->function);
    at_script_load(L, use->path, compiled->text.data, compiled->text.length);
    for (; at_primitive_names[count]; count++) push_primitive(L, at_primitive_names[count]);
    if (!push_links(L, compiled, top + 1, &is_lasting)) {
        lua_settop(L, top);
        lua_pushboolean(L, 0);
        return;
    }
    lua_call(L, count + (int)compiled->link_count, 1);
    lua_createtable(L, 2, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
    lua_pushboolean(L, is_lasting);
    lua_rawseti(L, -2, 2);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

bool push_compiled(lua_State *L, const struct at_rule_use *use, bool *is_lasting) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, compiled_address) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, compiled_address);
    }
    if (lua_rawgeti(L, -1, use->function) == LUA_TNIL) {
        lua_pop(L, 1);
        make(L, use);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, use->function);
    }
    lua_remove(L, -2);
    bool is_there = lua_istable(L, -1);
    if (is_there) {
        lua_rawgeti(L, -1, 2);
        *is_lasting = lua_toboolean(L, -1);
        lua_pop(L, 1);
        lua_rawgeti(L, -1, 1);
        lua_remove(L, -2);
    } else
        lua_pop(L, 1);
    return is_there;
}
