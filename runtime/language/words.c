/* SPDX-License-Identifier: Apache-2.0
 *
 * The words and methods that mean the same for one product and for all: when min max clamp log sqrt normalize
 * rank_of all any no, :above :below … :or_else. Each looks whether a column is among its arguments; the
 * scalar side calls the scalar twin, so both ways agree bit for bit. Also days(7) and its kin.
 */
#include <stdlib.h>
#include <string.h>
#include "language/state.h"

static const char methods_key, *const methods_address = &methods_key;
static const char lists_key, *const lists_address = &lists_key;

void push_methods(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, methods_address);
}

void set_list_methods(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, lists_address);
    lua_setmetatable(L, -2);
}

static bool any_column(lua_State *L) {
    for (int i = lua_gettop(L); i > 0; i--)
        if (is_column(L, i)) return true;
    return false;
}

void push_double(lua_State *L, double value) {
    if (at_is_missing(value))
        lua_pushnil(L);
    else
        lua_pushnumber(L, value);
}

double scalar_at(lua_State *L, int at) {
    struct at_error err = {0};
    size_t length;
    int64_t ms;
    double share;
    if (lua_isnoneornil(L, at)) return at_missing();
    if (lua_type(L, at) == LUA_TNUMBER) return lua_tonumber(L, at);
    if (lua_type(L, at) != LUA_TSTRING)
        return at_script_raise(L, "%s stands where a number is needed",
                               lua_type(L, at) == LUA_TBOOLEAN ? "yes or no" : luaL_typename(L, at));
    const char *text = lua_tolstring(L, at, &length);
    bool is_share = length && text[length - 1] == '%';
    if (is_share && at_share_parse(text, length, &share, &err) == AT_OK) return share;
    if (!is_share && at_span_parse(text, length, &ms, &err) == AT_OK) return (double)ms;
    return at_script_raise(L, "%s", err.message);
}

/* ---- comparisons ---- */

static int compare(lua_State *L, enum at_column_op op) {
    lua_settop(L, 2);
    if (any_column(L)) return column_binary(L, op, AT_COLUMN_BOOL);
    lua_pushboolean(L, any_moving(L) ? moving_compare(L, 1, 2, op)
                                     : at_scalar(op, scalar_at(L, 1), scalar_at(L, 2)) > 0);
    return 1;
}
static int l_above(lua_State *L) {
    return compare(L, AT_OP_ABOVE);
}
static int l_below(lua_State *L) {
    return compare(L, AT_OP_BELOW);
}
static int l_at_least(lua_State *L) {
    return compare(L, AT_OP_AT_LEAST);
}
static int l_at_most(lua_State *L) {
    return compare(L, AT_OP_AT_MOST);
}

static int both(lua_State *L, int node_a, int node_b) {
    push_node(L, at_program_binary(&language_of(L)->program, AT_OP_ALL, AT_COLUMN_BOOL, node_a, node_b));
    return 1;
}

static int l_between(lua_State *L) {
    lua_settop(L, 3);
    if (any_moving(L)) {
        bool is_over = moving_compare(L, 1, 2, AT_OP_AT_LEAST),
             is_under = moving_compare(L, 1, 3, AT_OP_AT_MOST);
        lua_pushboolean(L, is_over && is_under);
        return 1;
    }
    if (!any_column(L)) {
        double value = scalar_at(L, 1), low = scalar_at(L, 2), high = scalar_at(L, 3);
        lua_pushboolean(L, at_scalar(AT_OP_AT_LEAST, value, low) > 0 &&
                               at_scalar(AT_OP_AT_MOST, value, high) > 0);
        return 1;
    }
    struct at_program *program = &language_of(L)->program;
    int value = column_operand(L, 1, AT_COLUMN_NUMBER);
    int low = column_operand(L, 2, AT_COLUMN_NUMBER), high = column_operand(L, 3, AT_COLUMN_NUMBER);
    return both(L, at_program_binary(program, AT_OP_AT_LEAST, AT_COLUMN_BOOL, value, low),
                at_program_binary(program, AT_OP_AT_MOST, AT_COLUMN_BOOL, value, high));
}

/* ---- texts and lists ---- */

static const struct at_column *column_at(lua_State *L, int at) {
    uint32_t index;
    if (lua_type(L, at) != LUA_TLIGHTUSERDATA || view_at(L, at, &index) != VIEW_COLUMN) return NULL;
    return &language_of(L)->program.nodes[index];
}

static bool is_texts(const struct at_column *column) {
    return column && (column->type == AT_COLUMN_TEXT || column->type == AT_COLUMN_LIST);
}

static int compare_codes(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* How many texts stand at that place: a text, a table of texts, a product's list; nil is none. */
static lua_Integer texts_at(lua_State *L, int at) {
    uint32_t index;
    switch (lua_type(L, at)) {
    case LUA_TNIL:
    case LUA_TNONE: return 0;
    case LUA_TSTRING:
    case LUA_TNUMBER: return 1;
    case LUA_TTABLE: return (lua_Integer)lua_rawlen(L, at);
    case LUA_TLIGHTUSERDATA:
        if (view_at(L, at, &index) == VIEW_COLUMN) need_rows(L);
        return luaL_len(L, at);
    default: return at_script_raise(L, "%s stands where a text is needed", luaL_typename(L, at));
    }
}

/* Pushes the i-th of them (from 1). */
static const char *push_text_at(lua_State *L, int at, lua_Integer i, size_t *length) {
    if (lua_type(L, at) == LUA_TSTRING || lua_type(L, at) == LUA_TNUMBER)
        lua_pushvalue(L, at);
    else {
        lua_pushinteger(L, i);
        lua_gettable(L, at);
    }
    const char *text = lua_tolstring(L, -1, length);
    if (!text) at_script_raise(L, "a list of texts holds something else: %s", luaL_typename(L, -1));
    return text;
}

static int in_codes_node(lua_State *L, int held, int texts) {
    struct at_language *language = language_of(L);
    uint32_t index;
    view_at(L, held, &index);
    int attribute = language->program.nodes[index].attribute;
    lua_Integer count = texts_at(L, texts), found = 0;
    uint32_t *codes = at_arena_alloc(language->view->arena, ((size_t)count + 1) * sizeof *codes);
    if (!codes) return at_script_raise(L, "out of memory");
    for (lua_Integer i = 1; i <= count; i++) {
        size_t length;
        if (lua_type(L, texts) ==
            LUA_TTABLE) { /* no text: a mistake only where a product has one beside it */
            if (lua_rawgeti(L, texts, i) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER) need_rows(L);
            lua_pop(L, 1);
        }
        const char *text = push_text_at(L, texts, i, &length);
        uint32_t code = at_root_code_of(language->view->root, attribute, text, length);
        if (code) codes[found++] = code;
        lua_pop(L, 1);
    }
    qsort(codes, (size_t)found, sizeof *codes, compare_codes);
    int node = at_program_add(&language->program, AT_OP_IN_CODES, AT_COLUMN_BOOL);
    if (node < 0) need_rows(L);
    struct at_column *column = &language->program.nodes[node];
    column->a = (uint16_t)index;
    column->codes.list = codes;
    column->codes.count = (uint32_t)found;
    return node;
}

/* Does the value at 1 (text, or list of texts) hold one of the texts at 2? */
static bool holds_text(lua_State *L) {
    lua_Integer held = texts_at(L, 1), wanted = texts_at(L, 2);
    for (lua_Integer h = 1; h <= held; h++) {
        size_t a_length, b_length;
        const char *a = push_text_at(L, 1, h, &a_length);
        for (lua_Integer w = 1; w <= wanted; w++) {
            const char *b = push_text_at(L, 2, w, &b_length);
            bool is_same = a_length == b_length && memcmp(a, b, a_length) == 0;
            lua_pop(L, 1);
            if (is_same) return true;
        }
        lua_pop(L, 1);
        at_script_poll(L);
    }
    return false;
}

static bool compares_texts(lua_State *L) {
    uint32_t index;
    int type = lua_type(L, 1);
    if (type == LUA_TSTRING || type == LUA_TTABLE) return true;
    return type == LUA_TLIGHTUSERDATA && view_at(L, 1, &index) == VIEW_LIST;
}

static int is_same(lua_State *L, bool wants_same) {
    lua_settop(L, 2);
    if (is_texts(column_at(L, 1))) {
        int node = in_codes_node(L, 1, 2);
        struct at_program *program = &language_of(L)->program;
        if (!wants_same) {
            int no = at_program_add(program, AT_OP_NO, AT_COLUMN_BOOL);
            if (no >= 0) program->nodes[no].a = (uint16_t)node;
            node = no;
        }
        push_node(L, node);
        return 1;
    }
    if (is_texts(column_at(L, 2))) need_rows(L);
    if (any_column(L)) {
        if (lua_type(L, 2) == LUA_TBOOLEAN || (column_at(L, 1) && column_at(L, 1)->type == AT_COLUMN_BOOL))
            need_rows(L);
        return column_binary(L, wants_same ? AT_OP_IS : AT_OP_IS_NOT, AT_COLUMN_BOOL);
    }
    bool same;
    if (lua_isnil(L, 1) || lua_isnil(L, 2))
        same = false;
    else if (compares_texts(L))
        same = holds_text(L);
    else if (lua_type(L, 1) == LUA_TBOOLEAN || lua_type(L, 2) == LUA_TBOOLEAN)
        same = lua_rawequal(L, 1, 2);
    else
        same = at_scalar(AT_OP_IS, scalar_at(L, 1), scalar_at(L, 2)) > 0;
    lua_pushboolean(L, same == wants_same);
    return 1;
}
static int l_is(lua_State *L) {
    return is_same(L, true);
}
static int l_is_not(lua_State *L) {
    return is_same(L, false);
}

static int one_of_numbers(lua_State *L) {
    double value = scalar_at(L, 1);
    bool found = false;
    for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, 2); i <= n && !found; i++) {
        lua_rawgeti(L, 2, i);
        found = lua_type(L, -1) == LUA_TNUMBER && at_scalar(AT_OP_IS, value, lua_tonumber(L, -1)) > 0;
        lua_pop(L, 1);
    }
    lua_pushboolean(L, found);
    return 1;
}

static int l_one_of(lua_State *L) {
    if (lua_gettop(L) > 2) { /* one_of("a", "b") as well as one_of{"a", "b"} */
        int count = lua_gettop(L) - 1;
        lua_createtable(L, count, 0);
        for (int i = 1; i <= count; i++) {
            lua_pushvalue(L, i + 1);
            lua_rawseti(L, -2, i);
        }
        lua_replace(L, 2);
    }
    lua_settop(L, 2);
    if (is_texts(column_at(L, 1))) {
        push_node(L, in_codes_node(L, 1, 2));
        return 1;
    }
    if (any_column(L)) need_rows(L);
    if (lua_isnil(L, 1) || lua_isnil(L, 2)) return lua_pushboolean(L, 0), 1;
    if (lua_type(L, 1) == LUA_TNUMBER && lua_type(L, 2) == LUA_TTABLE) return one_of_numbers(L);
    lua_pushboolean(L, holds_text(L));
    return 1;
}

/* A list contains a text; a text contains a piece of text. */
static int l_contains(lua_State *L) {
    lua_settop(L, 2);
    const struct at_column *column = column_at(L, 1);
    if (column && column->type == AT_COLUMN_LIST) return l_one_of(L);
    if (any_column(L)) need_rows(L);
    if (lua_isnil(L, 1) || lua_isnil(L, 2)) return lua_pushboolean(L, 0), 1;
    if (lua_type(L, 1) != LUA_TSTRING) return lua_pushboolean(L, holds_text(L)), 1;
    size_t length, piece_length;
    const char *text = lua_tolstring(L, 1, &length), *piece = luaL_checklstring(L, 2, &piece_length);
    lua_pushboolean(L, memmem(text, length, piece, piece_length) != NULL);
    return 1;
}

static int l_or_else(lua_State *L) {
    lua_settop(L, 2);
    if (is_texts(column_at(L, 1)) || (column_at(L, 1) && column_at(L, 1)->type == AT_COLUMN_BOOL))
        need_rows(L);
    if (any_column(L)) {
        int a = column_operand(L, 1, AT_COLUMN_NUMBER), b = column_operand(L, 2, AT_COLUMN_NUMBER);
        struct at_program *program = &language_of(L)->program;
        int node = at_program_binary(program, AT_OP_OR_ELSE, AT_COLUMN_NUMBER, a, b);
        push_node(L, form_choice(L, node, a, b));
        return 1;
    }
    if (lua_isnil(L, 1)) return 1;
    lua_pushvalue(L, 1);
    return 1;
}

/* ---- conditions and choice ---- */

static bool holds(lua_State *L, int at) {
    return lua_toboolean(L, at);
}

static int combine(lua_State *L, enum at_column_op op, bool start) {
    int count = lua_gettop(L);
    if (!any_column(L)) {
        bool result = start;
        for (int i = 1; i <= count; i++)
            result = op == AT_OP_ALL ? result && holds(L, i) : result || holds(L, i);
        lua_pushboolean(L, result);
        return 1;
    }
    struct at_program *program = &language_of(L)->program;
    int node = at_program_const(program, start, AT_COLUMN_BOOL);
    for (int i = 1; i <= count && node >= 0; i++)
        node = at_program_binary(program, op, AT_COLUMN_BOOL, node, column_operand(L, i, AT_COLUMN_BOOL));
    push_node(L, node);
    return 1;
}
static int l_all(lua_State *L) {
    return combine(L, AT_OP_ALL, true);
}
static int l_any(lua_State *L) {
    return combine(L, AT_OP_ANY, false);
}

/* no(a, b): none of them holds. */
static int l_no(lua_State *L) {
    if (!any_column(L)) {
        combine(L, AT_OP_ANY, false);
        lua_pushboolean(L, !lua_toboolean(L, -1));
        return 1;
    }
    combine(L, AT_OP_ANY, false);
    uint32_t any;
    view_at(L, -1, &any);
    struct at_program *program = &language_of(L)->program;
    int node = at_program_add(program, AT_OP_NO, AT_COLUMN_BOOL);
    if (node >= 0) program->nodes[node].a = (uint16_t)any;
    push_node(L, node);
    return 1;
}

static int l_when(lua_State *L) {
    if (lua_gettop(L) < 2)
        return at_script_raise(L, "when needs a condition and a value: when(condition, yes, no)");
    if (lua_gettop(L) < 3) lua_pushnumber(L, 0);
    lua_settop(L, 3);
    if (!is_column(L, 1)) {
        lua_pushvalue(L, holds(L, 1) ? 2 : 3);
        return 1;
    }
    if (is_texts(column_at(L, 2)) || is_texts(column_at(L, 3)) || lua_type(L, 2) == LUA_TSTRING ||
        lua_type(L, 3) == LUA_TSTRING)
        need_rows(L);
    struct at_program *program = &language_of(L)->program;
    int condition = column_operand(L, 1, AT_COLUMN_BOOL);
    bool is_bool =
        lua_type(L, 2) == LUA_TBOOLEAN || (column_at(L, 2) && column_at(L, 2)->type == AT_COLUMN_BOOL);
    if (is_bool) need_rows(L);
    int yes = column_operand(L, 2, AT_COLUMN_NUMBER), no = column_operand(L, 3, AT_COLUMN_NUMBER);
    int node = at_program_add(program, AT_OP_WHEN, AT_COLUMN_NUMBER);
    if (node >= 0) {
        program->nodes[node].a = (uint16_t)condition;
        program->nodes[node].b = (uint16_t)yes;
        program->nodes[node].c = (uint16_t)no;
    }
    push_node(L, form_choice(L, node, yes, no));
    return 1;
}

/* ---- functions ---- */

static int extreme(lua_State *L, enum at_column_op op) {
    int count = lua_gettop(L);
    if (!count) return at_script_raise(L, "%s needs at least one number", op == AT_OP_MIN ? "min" : "max");
    if (any_moving(L)) return moving_extreme(L, op);
    if (!any_column(L)) {
        double result = scalar_at(L, 1);
        for (int i = 2; i <= count; i++) result = at_scalar(op, result, scalar_at(L, i));
        push_double(L, result);
        return 1;
    }
    struct at_program *program = &language_of(L)->program;
    int node = column_operand(L, 1, AT_COLUMN_NUMBER);
    for (int i = 2; i <= count && node >= 0; i++)
        node = at_program_binary(program, op, AT_COLUMN_NUMBER, node, column_operand(L, i, AT_COLUMN_NUMBER));
    push_node(L, node);
    return 1;
}
static int l_min(lua_State *L) {
    return extreme(L, AT_OP_MIN);
}
static int l_max(lua_State *L) {
    return extreme(L, AT_OP_MAX);
}

/* clamp(x, low, high); of what is missing, missing. */
static int l_clamp(lua_State *L) {
    lua_settop(L, 3);
    if (!any_column(L)) {
        double value = scalar_at(L, 1), low = scalar_at(L, 2), high = scalar_at(L, 3);
        push_double(L, at_is_missing(value) ? value
                                            : at_scalar(AT_OP_MIN, at_scalar(AT_OP_MAX, value, low), high));
        return 1;
    }
    struct at_program *program = &language_of(L)->program;
    int value = column_operand(L, 1, AT_COLUMN_NUMBER), low = column_operand(L, 2, AT_COLUMN_NUMBER);
    int high = column_operand(L, 3, AT_COLUMN_NUMBER);
    int raised = at_program_binary(program, AT_OP_MAX, AT_COLUMN_NUMBER, value, low);
    int bounded = at_program_binary(program, AT_OP_MIN, AT_COLUMN_NUMBER, raised, high);
    int zero = at_program_const(
        program, 0, AT_COLUMN_NUMBER); /* value · 0 + bounded would lose infinities: choose instead */
    int is_there = at_program_binary(program, AT_OP_AT_LEAST, AT_COLUMN_BOOL, value, zero);
    int is_below = at_program_binary(program, AT_OP_BELOW, AT_COLUMN_BOOL, value, zero);
    int known = at_program_binary(program, AT_OP_ANY, AT_COLUMN_BOOL, is_there, is_below);
    int node = at_program_add(program, AT_OP_WHEN, AT_COLUMN_NUMBER);
    if (node >= 0 && known >= 0 && bounded >= 0) {
        program->nodes[node].a = (uint16_t)known;
        program->nodes[node].b = (uint16_t)bounded;
        program->nodes[node].c = (uint16_t)value;
    }
    push_node(L, node);
    return 1;
}

static int unary(lua_State *L, enum at_column_op op) {
    lua_settop(L, 1);
    if (!is_column(L, 1)) {
        push_double(L, at_scalar(op, scalar_at(L, 1), 0));
        return 1;
    }
    struct at_program *program = &language_of(L)->program;
    int operand = column_operand(L, 1, AT_COLUMN_NUMBER);
    int node = at_program_add(program, op, AT_COLUMN_NUMBER);
    if (node >= 0) program->nodes[node].a = (uint16_t)operand;
    push_node(L, node);
    return 1;
}
static int l_log(lua_State *L) {
    return unary(L, AT_OP_LOG);
}
static int l_sqrt(lua_State *L) {
    return unary(L, AT_OP_SQRT);
}

/* Over all candidates. Product by product the values of all are needed first: judge.c runs the rule once more
 * for each call. In a run on columns one value for all of them comes out as it would from such runs. */
static int over_all(lua_State *L, enum at_column_op op) {
    lua_settop(L, 1);
    if (is_column(L, 1)) return unary(L, op);
    if (!language_of(L)->runs_columns) return ordinal_word(L, op);
    double value = lua_isnil(L, 1) ? at_missing() : luaL_checknumber(L, 1);
    if (op == AT_OP_NORMALIZE)
        push_double(L, at_is_missing(value) ? value : 0);
    else
        push_double(L, value != value ? at_missing() : 1);
    return 1;
}
static int l_normalize(lua_State *L) {
    return over_all(L, AT_OP_NORMALIZE);
}
static int l_rank_of(lua_State *L) {
    return over_all(L, AT_OP_RANK_OF);
}

/* ---- times ---- */

static int span(lua_State *L, double unit_ms) {
    lua_pushnumber(L, luaL_checknumber(L, 1) * unit_ms);
    return 1;
}
static int l_seconds(lua_State *L) {
    return span(L, AT_SECOND_MS);
}
static int l_minutes(lua_State *L) {
    return span(L, AT_MINUTE_MS);
}
static int l_hours(lua_State *L) {
    return span(L, AT_HOUR_MS);
}
static int l_days(lua_State *L) {
    return span(L, AT_DAY_MS);
}
static int l_weeks(lua_State *L) {
    return span(L, 7 * AT_DAY_MS);
}

/* The decision's own moment, in the same unit as times: ms since 1970. */
static int l_now(lua_State *L) {
    struct at_language *language = language_of(L);
    if (!language->view)
        return at_script_raise(L, "now() has no meaning while scripts are loaded: call it inside a rule");
    language->reads_context = true;
    push_since(L, 0);
    return 1;
}

static const luaL_Reg words[] = {{"when", l_when},
                                 {"min", l_min},
                                 {"max", l_max},
                                 {"clamp", l_clamp},
                                 {"log", l_log},
                                 {"sqrt", l_sqrt},
                                 {"normalize", l_normalize},
                                 {"rank_of", l_rank_of},
                                 {"all", l_all},
                                 {"any", l_any},
                                 {"no", l_no},
                                 {"seconds", l_seconds},
                                 {"minutes", l_minutes},
                                 {"hours", l_hours},
                                 {"days", l_days},
                                 {"weeks", l_weeks},
                                 {"now", l_now},
                                 {NULL, NULL}};
static const luaL_Reg methods[] = {{"above", l_above},
                                   {"below", l_below},
                                   {"at_least", l_at_least},
                                   {"at_most", l_at_most},
                                   {"between", l_between},
                                   {"is", l_is},
                                   {"is_not", l_is_not},
                                   {"one_of", l_one_of},
                                   {"contains", l_contains},
                                   {"or_else", l_or_else},
                                   {NULL, NULL}};
void install_words(lua_State *L) {
    at_script_push_globals(L);
    luaL_setfuncs(L, words, 0);
    lua_pop(L, 1);
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    set_old_names(L, "number");
    lua_rawsetp(L, LUA_REGISTRYINDEX, methods_address);
    lua_newtable(L);
    push_methods(L);
    lua_setfield(L, -2, "__index");
    lua_rawsetp(L, LUA_REGISTRYINDEX, lists_address);
    at_script_push_string_methods(L);
    for (const luaL_Reg *method = methods; method->name; method++) {
        lua_pushcfunction(L, method->func);
        lua_setfield(L, -2, method->name);
    }
    lua_pushnil(L); /* it is about numbers: string.char(65) */
    lua_setfield(L, -2, "char");
    set_old_names(L, "string");
    lua_pop(L, 1);
}
