/* SPDX-License-Identifier: Apache-2.0
 *
 * Views: light userdata that stand for the product, the customer, columns … of the running call. This file
 * packs and unpacks them, and holds the metatable all light userdata share; what a field means is in
 * product.c and customer.c.
 */
#include <string.h>
#include "language/state.h"

struct at_language *language_of(lua_State *L) {
    return at_script_host(L);
}

void push_view(lua_State *L, enum view_kind kind, uint32_t index) {
    struct at_language *language = language_of(L);
    uint64_t packed =
        language->call << (VIEW_INDEX_BITS + VIEW_KIND_BITS) | (uint64_t)kind << VIEW_INDEX_BITS | index;
    lua_pushlightuserdata(L, (void *)(uintptr_t)packed);
}

enum view_kind view_at(lua_State *L, int at, uint32_t *index) {
    if (lua_type(L, at) != LUA_TLIGHTUSERDATA) return 0;
    uint64_t packed = (uint64_t)(uintptr_t)lua_touserdata(L, at);
    struct at_language *language = language_of(L);
    uint64_t call = packed >> (VIEW_INDEX_BITS + VIEW_KIND_BITS);
    if (!language->is_running ||
        call != (language->call & (UINT64_MAX >> (VIEW_INDEX_BITS + VIEW_KIND_BITS))))
        at_script_raise(L, "this value belongs to an earlier call: nothing lives in Lua between calls");
    *index = packed & VIEW_INDEX_MAX;
    return (enum view_kind)(packed >> VIEW_INDEX_BITS & ((1u << VIEW_KIND_BITS) - 1));
}

static bool is_of_all(enum view_kind kind) {
    return kind == VIEW_COLUMN || kind == VIEW_MIXED;
}

bool is_column(lua_State *L, int at) {
    uint32_t index;
    return lua_type(L, at) == LUA_TLIGHTUSERDATA && is_of_all(view_at(L, at, &index));
}

static int index_list(lua_State *L, uint32_t index) {
    struct at_language *language = language_of(L);
    const struct list_view *list = &language->lists[index];
    const struct at_root *root = language->view->root;
    if (lua_type(L, 2) != LUA_TNUMBER) {
        push_methods(L);
        lua_pushvalue(L, 2);
        lua_rawget(L, -2);
        return 1;
    }
    uint32_t count = 0, set = at_root_code(root, list->attribute, list->row);
    const uint32_t *codes = set ? at_root_set(root, list->attribute, set, &count) : NULL;
    lua_Integer at = lua_tointeger(L, 2);
    if (at < 1 || at > count) return lua_pushnil(L), 1;
    struct at_text text = at_root_text_of(root, list->attribute, codes[at - 1]);
    lua_pushlstring(L, text.data, text.length);
    return 1;
}

static int index_number(lua_State *L, enum view_kind kind) {
    push_methods(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) != LUA_TNIL) return 1;
    if (kind == VIEW_MOVING) return at_script_raise(L, "a number has no such field");
    need_rows(L);
}

static int l_index(lua_State *L) {
    uint32_t index;
    enum view_kind kind = view_at(L, 1, &index);
    if (kind == VIEW_COLUMN || kind == VIEW_MOVING) return index_number(L, kind);
    if (kind == VIEW_MIXED) need_rows(L);
    if (kind == VIEW_LIST) return index_list(L, index);
    if (kind == VIEW_COLUMNS) return index_columns(L);
    if (kind == VIEW_PRODUCT) return index_product(L, language_of(L)->rows[index]);
    if (kind == VIEW_PAGE) return index_page(L);
    if (kind == VIEW_WORLD) return index_world(L);
    return index_customer(L, kind, index);
}

static const char *kind_word(enum view_kind kind) {
    switch (kind) {
    case VIEW_COLUMN: return "a product's value";
    case VIEW_MOVING: return "a number";
    case VIEW_COLUMNS:
    case VIEW_PRODUCT: return "product";
    case VIEW_LIST: return "a product's list";
    case VIEW_PAGE: return "page";
    case VIEW_CUSTOMER: return "customer";
    case VIEW_EVENT: return "an event";
    case VIEW_WORLD: return "world";
    default: return "a part of customer";
    }
}

static int l_tostring(lua_State *L) {
    uint32_t index;
    enum view_kind kind = view_at(L, 1, &index);
    if (is_of_all(kind) || kind == VIEW_COLUMNS) need_rows(L);
    if (kind == VIEW_PRODUCT) return product_tostring(L, language_of(L)->rows[index]);
    lua_pushstring(L, kind_word(kind));
    return 1;
}

static int l_newindex(lua_State *L) {
    uint32_t index;
    enum view_kind kind = view_at(L, 1, &index);
    return at_script_raise(L, "%s can only be read", kind_word(kind));
}

static int l_call(lua_State *L) {
    uint32_t index;
    enum view_kind kind = view_at(L, 1, &index);
    if (is_of_all(kind)) need_rows(L);
    return at_script_raise(L, "%s is not a function", kind_word(kind));
}

static int l_len(lua_State *L) {
    uint32_t index, count = 0;
    enum view_kind kind = view_at(L, 1, &index);
    if (is_of_all(kind)) need_rows(L);
    if (kind != VIEW_LIST) return at_script_raise(L, "%s has no length", kind_word(kind));
    const struct list_view *list = &language_of(L)->lists[index];
    uint32_t set = at_root_code(language_of(L)->view->root, list->attribute, list->row);
    if (set) at_root_set(language_of(L)->view->root, list->attribute, set, &count);
    lua_pushinteger(L, count);
    return 1;
}

/* Iteration over a list: (list, i) → i + 1, text. */
static int l_next_item(lua_State *L) {
    lua_Integer at = luaL_checkinteger(L, 2) + 1;
    lua_pushinteger(L, at);
    lua_pushinteger(L, at);
    lua_gettable(L, 1);
    return lua_isnil(L, -1) ? 1 : 2;
}

static int l_ipairs(lua_State *L) {
    uint32_t index;
    enum view_kind kind = view_at(L, 1, &index);
    if (is_of_all(kind)) need_rows(L);
    if (kind != VIEW_LIST) return at_script_raise(L, "%s is not a list", kind_word(kind));
    lua_pushcfunction(L, l_next_item);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

/* Order comparisons on a column cannot give a column back; the other way can. On anything else they are a
 * mistake. */
static int compare(lua_State *L, enum at_column_op op) {
    if (is_column(L, 1) || is_column(L, 2)) need_rows(L);
    if (any_moving(L)) return lua_pushboolean(L, moving_compare(L, 1, 2, op)), 1;
    if (lua_isnil(L, 1) || lua_isnil(L, 2)) return lua_pushboolean(L, 0), 1;
    return at_script_raise(L, "only numbers and texts can be compared with < and >");
}

static int l_lt(lua_State *L) {
    return compare(L, AT_OP_BELOW);
}
static int l_le(lua_State *L) {
    return compare(L, AT_OP_AT_MOST);
}

static int l_concat(lua_State *L) {
    if (is_column(L, 1) || is_column(L, 2)) need_rows(L);
    return at_script_raise(L, "only texts and numbers can be joined with ..");
}

static int arithmetic(lua_State *L, enum at_column_op op) {
    return any_moving(L) ? moving_binary(L, op) : column_binary(L, op, AT_COLUMN_NUMBER);
}
static int l_add(lua_State *L) {
    return arithmetic(L, AT_OP_ADD);
}
static int l_sub(lua_State *L) {
    return arithmetic(L, AT_OP_SUB);
}
static int l_mul(lua_State *L) {
    return arithmetic(L, AT_OP_MUL);
}
static int l_div(lua_State *L) {
    return arithmetic(L, AT_OP_DIV);
}
static int l_pow(lua_State *L) {
    return arithmetic(L, AT_OP_POW);
}
static int l_other(lua_State *L) {
    if (is_column(L, 1) || is_column(L, 2)) need_rows(L);
    return at_script_raise(L, "this operator works on numbers only");
}
static int l_idiv(lua_State *L) {
    return any_moving(L) ? l_other(L) : column_binary(L, AT_OP_IDIV, AT_COLUMN_NUMBER);
}
static int l_mod(lua_State *L) {
    return any_moving(L) ? l_other(L) : column_binary(L, AT_OP_MOD, AT_COLUMN_NUMBER);
}
static int l_unm(lua_State *L) {
    if (any_moving(L)) {
        lua_pushnumber(L, -1);
        lua_replace(L, 2);
        return moving_binary(L, AT_OP_MUL);
    }
    push_node(L, form_negative(L, column_operand(L, 1, AT_COLUMN_NUMBER)));
    return 1;
}

static const luaL_Reg metamethods[] = {
    {"__index", l_index},   {"__newindex", l_newindex}, {"__call", l_call},  {"__tostring", l_tostring},
    {"__len", l_len},       {"__ipairs", l_ipairs},     {"__lt", l_lt},      {"__le", l_le},
    {"__concat", l_concat}, {"__add", l_add},           {"__sub", l_sub},    {"__mul", l_mul},
    {"__div", l_div},       {"__pow", l_pow},           {"__unm", l_unm},    {"__mod", l_mod},
    {"__idiv", l_idiv},     {"__band", l_other},        {"__bor", l_other},  {"__bxor", l_other},
    {"__shl", l_other},     {"__shr", l_other},         {"__bnot", l_other}, {NULL, NULL}};

void install_views(lua_State *L) {
    lua_pushlightuserdata(L, NULL);
    lua_newtable(L);
    luaL_setfuncs(L, metamethods, 0);
    lua_pushliteral(L, "product");
    lua_setfield(L, -2, "__name");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}
