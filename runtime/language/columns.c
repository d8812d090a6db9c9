/* SPDX-License-Identifier: Apache-2.0
 *
 * The border between Lua values and nodes of the running call's column program. Nothing here is an error:
 * whatever columns cannot express ends the column run with need_rows; the judge then runs the rule product by
 * product, which always can, and knows what is a mistake.
 */
#include <string.h>
#include "language/state.h"

void need_rows(lua_State *L) {
    language_of(L)->needs_rows = true;
    lua_pushliteral(L, "product by product");
    lua_error(L);
    __builtin_unreachable();
}

static uint32_t line_now(lua_State *L) {
    lua_Debug ar;
    for (int level = 0; level < 4 && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (ar.currentline > 0) return (uint32_t)ar.currentline;
    }
    return 0;
}

void push_node(lua_State *L, int node) {
    struct at_language *language = language_of(L);
    if (node < 0) need_rows(L); /* more operations than a program holds */
    if (language->explains && !language->program.nodes[node].line)
        language->program.nodes[node].line = line_now(L);
    push_view(L, VIEW_COLUMN, (uint32_t)node);
}

static int constant(lua_State *L, double value, enum at_column_type type) {
    int node = at_program_const(&language_of(L)->program, value, type);
    if (node < 0) need_rows(L);
    return node;
}

static int check_type(lua_State *L, int node, enum at_column_type wanted) {
    enum at_column_type type = language_of(L)->program.nodes[node].type;
    if (type == wanted) return node;
    need_rows(L); /* it may be missing wherever it is used: only a run for each product knows */
}

/* A text beside a number is a time or a share: product.age:below "14d". */
static double parse_amount(lua_State *L, int at) {
    size_t length;
    const char *text = lua_tolstring(L, at, &length);
    int64_t ms;
    double share;
    struct at_error err = {0};
    if (length && text[length - 1] == '%') {
        if (at_share_parse(text, length, &share, &err) == AT_OK) return share;
    } else if (at_span_parse(text, length, &ms, &err) == AT_OK) {
        return (double)ms;
    }
    need_rows(L); /* it is a mistake only where a product has something beside it */
}

int column_operand(lua_State *L, int at, enum at_column_type wanted) {
    uint32_t index;
    switch (lua_type(L, at)) {
    case LUA_TNIL:
    case LUA_TNONE: return constant(L, at_missing(), wanted);
    case LUA_TNUMBER:
        if (wanted == AT_COLUMN_BOOL) return constant(L, 1, wanted); /* as in Lua: every number is a yes */
        return form_constant(L, at);
    case LUA_TBOOLEAN:
        if (wanted == AT_COLUMN_NUMBER) need_rows(L);
        return constant(L, lua_toboolean(L, at), AT_COLUMN_BOOL);
    case LUA_TSTRING: return constant(L, wanted == AT_COLUMN_BOOL ? 1 : parse_amount(L, at), wanted);
    case LUA_TLIGHTUSERDATA:
        if (view_at(L, at, &index) == VIEW_COLUMN) return check_type(L, (int)index, wanted);
        break;
    default: break;
    }
    need_rows(L);
}

int column_binary(lua_State *L, enum at_column_op op, enum at_column_type type) {
    enum at_column_type wanted = op == AT_OP_ALL || op == AT_OP_ANY ? AT_COLUMN_BOOL : AT_COLUMN_NUMBER;
    bool has_text = lua_type(L, 1) == LUA_TSTRING || lua_type(L, 2) == LUA_TSTRING;
    if (has_text && op >= AT_OP_ADD && op <= AT_OP_MOD) need_rows(L);
    int a = column_operand(L, 1, wanted), b = column_operand(L, 2, wanted);
    if (op >= AT_OP_ADD && op <= AT_OP_MOD) {
        push_node(L, form_binary(L, op, a, b));
        return 1;
    }
    push_node(L, at_program_binary(&language_of(L)->program, op, type, a, b));
    return 1;
}
