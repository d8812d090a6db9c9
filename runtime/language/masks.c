/* SPDX-License-Identifier: Apache-2.0
 *
 * What the text of a compiled rule calls (compile.h): conditions, choices and comparisons that take a plain
 * value or a column and mean what Lua's own mean, product by product. What differs in type from product to
 * product (a number here, no there) is a mixed value: which one, and both. Whatever columns cannot express
 * ends the run with need_rows.
 */
#include <math.h>
#include <string.h>
#include "language/compile.h"
#include "language/state.h"

static const char primitives_key, *const primitives_address = &primitives_key;
static const char mixed_key, *const mixed_address = &mixed_key;
#define RAISED_BITS UINT64_C(0x7ff8a77e00007a15)
#define MIXED_MAX   2000
#define WHOLE_MAX   4503599627370496.0 /* 2^52: a rounded number is an integer, and adds up exactly */

double at_raised(void) {
    uint64_t bits = RAISED_BITS;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

bool at_is_raised(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == RAISED_BITS;
}

/* ---- what stands at a stack place ---- */

enum sort { PLAIN, COLUMN, MIXED };
static enum sort sort_of(lua_State *L, int at, uint32_t *index) {
    if (lua_type(L, at) != LUA_TLIGHTUSERDATA) return PLAIN;
    enum view_kind kind = view_at(L, at, index);
    return kind == VIEW_COLUMN ? COLUMN : kind == VIEW_MIXED ? MIXED : PLAIN;
}

static bool is_plain(lua_State *L, int at) {
    uint32_t index;
    return sort_of(L, at, &index) == PLAIN;
}

static struct at_column *column_of(lua_State *L, uint32_t index) {
    return &language_of(L)->program.nodes[index];
}

static bool is_texts(const struct at_column *column) {
    return column->type == AT_COLUMN_TEXT || column->type == AT_COLUMN_LIST;
}

/* Pushes the three parts of a mixed value: the condition, the one and the other. */
static int push_parts(lua_State *L, uint32_t index) {
    int at = lua_gettop(L) + 1;
    luaL_checkstack(L, 8, NULL);
    lua_rawgetp(L, LUA_REGISTRYINDEX, mixed_address);
    for (int i = 1; i <= 3; i++) lua_rawgeti(L, at, 3 * (lua_Integer)index + i);
    lua_remove(L, at);
    return at;
}

static void push_mixed(lua_State *L, int condition, int yes, int no) {
    struct at_language *language = language_of(L);
    if (language->mixed_count == MIXED_MAX) need_rows(L);
    uint32_t index = language->mixed_count++;
    const int parts[] = {lua_absindex(L, condition), lua_absindex(L, yes), lua_absindex(L, no)};
    lua_rawgetp(L, LUA_REGISTRYINDEX, mixed_address);
    for (int i = 0; i < 3; i++) {
        lua_pushvalue(L, parts[i]);
        lua_rawseti(L, -2, 3 * (lua_Integer)index + i + 1);
    }
    lua_pop(L, 1);
    push_view(L, VIEW_MIXED, index);
}

/* ---- conditions ---- */

static int checked(lua_State *L, int node) {
    if (node < 0) need_rows(L);
    return node;
}

static int flag(lua_State *L, bool value) {
    return checked(L, at_program_const(&language_of(L)->program, value, AT_COLUMN_BOOL));
}

static int negated(lua_State *L, int node) {
    return checked(L, add_unary(&language_of(L)->program, AT_OP_NO, AT_COLUMN_BOOL, node));
}

static int binary(lua_State *L, enum at_column_op op, int a, int b) {
    return checked(L, at_program_binary(&language_of(L)->program, op, AT_COLUMN_BOOL, a, b));
}

static int chosen(lua_State *L, enum at_column_type type, int condition, int yes, int no) {
    struct at_program *program = &language_of(L)->program;
    int node = checked(L, at_program_add(program, AT_OP_WHEN, type));
    program->nodes[node].a = (uint16_t)condition;
    program->nodes[node].b = (uint16_t)yes;
    program->nodes[node].c = (uint16_t)no;
    program->nodes[node].attribute = 1; /* a branch: explanations follow the side that was taken */
    return node;
}

/* Whether a column has a value there. */
static int exists(lua_State *L, uint32_t index) {
    struct at_program *program = &language_of(L)->program;
    if (!is_texts(&program->nodes[index]))
        return checked(L, add_unary(program, AT_OP_EXISTS, AT_COLUMN_BOOL, (int)index));
    int node = checked(L, at_program_add(program, AT_OP_HELD, AT_COLUMN_BOOL));
    program->nodes[node].attribute = program->nodes[index].attribute;
    return node;
}

enum { PLAINLY_NO = -1, PLAINLY_YES = -2 };
static int as_node(lua_State *L, int truth) {
    return truth >= 0 ? truth : flag(L, truth == PLAINLY_YES);
}

int masks_truth(lua_State *L, int at) {
    uint32_t index;
    switch (sort_of(L, at, &index)) {
    case PLAIN: return lua_toboolean(L, at) ? PLAINLY_YES : PLAINLY_NO;
    case COLUMN: return column_of(L, index)->type == AT_COLUMN_BOOL ? (int)index : exists(L, index);
    default: break;
    }
    int parts = push_parts(L, index);
    int condition = masks_truth(L, parts), yes = masks_truth(L, parts + 1), no = masks_truth(L, parts + 2);
    lua_settop(L, parts - 1);
    if (yes == no) return yes;
    return chosen(L, AT_COLUMN_BOOL, as_node(L, condition), as_node(L, yes), as_node(L, no));
}

static int push_truth(lua_State *L, int truth) {
    if (truth < 0)
        lua_pushboolean(L, truth == PLAINLY_YES);
    else
        push_node(L, truth);
    return 1;
}

static int l_test(lua_State *L) {
    lua_settop(L, 1);
    return push_truth(L, masks_truth(L, 1));
}

static int l_not(lua_State *L) {
    lua_settop(L, 1);
    int truth = masks_truth(L, 1);
    if (truth < 0) return push_truth(L, truth == PLAINLY_YES ? PLAINLY_NO : PLAINLY_YES);
    return push_truth(L, negated(L, truth));
}

static int l_both(lua_State *L) {
    lua_settop(L, 2);
    int a = masks_truth(L, 1), b = masks_truth(L, 2);
    if (a == PLAINLY_NO || b == PLAINLY_NO) return push_truth(L, PLAINLY_NO);
    if (a == PLAINLY_YES || b == PLAINLY_YES) return push_truth(L, a == PLAINLY_YES ? b : a);
    return push_truth(L, binary(L, AT_OP_ALL, a, b));
}

static int l_either(lua_State *L) {
    lua_settop(L, 2);
    int a = masks_truth(L, 1), b = masks_truth(L, 2);
    if (a == PLAINLY_YES || b == PLAINLY_YES) return push_truth(L, PLAINLY_YES);
    if (a == PLAINLY_NO || b == PLAINLY_NO) return push_truth(L, a == PLAINLY_NO ? b : a);
    return push_truth(L, binary(L, AT_OP_ANY, a, b));
}

/* ---- choices ---- */

enum kind { KIND_NIL, KIND_NUMBER, KIND_BOOL, KIND_OTHER };
static enum kind kind_at(lua_State *L, int at) {
    uint32_t index;
    enum sort sort = sort_of(L, at, &index);
    if (sort == MIXED) return KIND_OTHER;
    if (sort == COLUMN) {
        enum at_column_type type = column_of(L, index)->type;
        return type == AT_COLUMN_NUMBER ? KIND_NUMBER : type == AT_COLUMN_BOOL ? KIND_BOOL : KIND_OTHER;
    }
    switch (lua_type(L, at)) {
    case LUA_TNIL: return KIND_NIL;
    case LUA_TNUMBER: return KIND_NUMBER;
    case LUA_TBOOLEAN: return KIND_BOOL;
    default: return KIND_OTHER;
    }
}

/* Of one and the same type, or missing; KIND_OTHER: they are not. */
static enum kind common_kind(lua_State *L, int a, int b) {
    enum kind left = kind_at(L, a), right = kind_at(L, b);
    if (left == KIND_NIL) return right;
    return right == KIND_NIL || right == left ? left : KIND_OTHER;
}

static int node_at(lua_State *L, int at, enum kind kind) {
    return column_operand(L, at, kind == KIND_BOOL ? AT_COLUMN_BOOL : AT_COLUMN_NUMBER);
}

/* One value, also in its bits: 0 is not −0, and not 0.0. */
static bool is_one_value(lua_State *L, int a, int b) {
    if (lua_type(L, a) == LUA_TNUMBER) return false;
    return lua_rawequal(L, a, b);
}

static int push_choice(lua_State *L, int condition, int yes, int no) {
    uint32_t index;
    yes = lua_absindex(L, yes), no = lua_absindex(L, no);
    if (is_one_value(L, yes, no)) return lua_pushvalue(L, yes), 1;
    if (sort_of(L, condition, &index) == PLAIN) {
        lua_pushvalue(L, lua_toboolean(L, condition) ? yes : no);
        return 1;
    }
    int truth = masks_truth(L, condition);
    enum kind kind = common_kind(L, yes, no);
    if (kind == KIND_OTHER) return push_mixed(L, condition, yes, no), 1;
    int a = node_at(L, yes, kind), b = node_at(L, no, kind);
    int node = chosen(L, kind == KIND_BOOL ? AT_COLUMN_BOOL : AT_COLUMN_NUMBER, as_node(L, truth), a, b);
    push_node(L, kind == KIND_NUMBER ? form_choice(L, node, a, b) : node);
    return 1;
}

static int l_select(lua_State *L) {
    lua_settop(L, 3);
    return push_choice(L, 1, 2, 3);
}

/* ---- and, or as values ---- */

/* Of a condition where it does not hold: false, or nil where it is missing. */
static void push_no_condition(lua_State *L, uint32_t index) {
    if (at_op_is_condition(column_of(L, index)->op)) return lua_pushboolean(L, 0);
    int missing = checked(L, at_program_const(&language_of(L)->program, at_missing(), AT_COLUMN_BOOL));
    push_node(L, chosen(L, AT_COLUMN_BOOL, exists(L, index), flag(L, false), missing));
}

/* Whether it is surely no for every product. */
static bool is_never_yes(lua_State *L, int at) {
    uint32_t index;
    if (sort_of(L, at, &index) == PLAIN) return !lua_toboolean(L, at);
    const struct at_column *nodes = language_of(L)->program.nodes, *column = &nodes[index];
    if (sort_of(L, at, &index) != COLUMN || column->op != AT_OP_WHEN || column->type != AT_COLUMN_BOOL)
        return false;
    const struct at_column *yes = &nodes[column->b], *no = &nodes[column->c];
    return yes->op == AT_OP_CONST && no->op == AT_OP_CONST && !(yes->value > 0) && !(no->value > 0);
}

/* Pushes what a value is where it is no: false or nil; where it never is, nil. */
static void push_no_part(lua_State *L, int at) {
    uint32_t index;
    at = lua_absindex(L, at);
    enum sort sort = sort_of(L, at, &index);
    if (sort == PLAIN && !lua_toboolean(L, at)) return lua_pushvalue(L, at);
    if (sort == COLUMN && column_of(L, index)->type == AT_COLUMN_BOOL) return push_no_condition(L, index);
    if (sort != MIXED) return lua_pushnil(L);
    int parts = push_parts(L, index);
    push_no_part(L, parts + 1);
    push_no_part(L, parts + 2);
    if (is_plain(L, parts + 1) && lua_toboolean(L, parts + 1))
        lua_pushvalue(L, parts + 4);
    else if (is_plain(L, parts + 2) && lua_toboolean(L, parts + 2))
        lua_pushvalue(L, parts + 3);
    else
        push_choice(L, parts, parts + 3, parts + 4);
    lua_replace(L, parts);
    lua_settop(L, parts);
}

/* And where it is yes; where it never is, anything. */
static void push_yes_part(lua_State *L, int at) {
    uint32_t index;
    at = lua_absindex(L, at);
    enum sort sort = sort_of(L, at, &index);
    if (sort == COLUMN && column_of(L, index)->type == AT_COLUMN_BOOL) return lua_pushboolean(L, 1);
    if (sort != MIXED) return lua_pushvalue(L, at);
    int parts = push_parts(L, index);
    push_yes_part(L, parts + 1);
    push_yes_part(L, parts + 2);
    if (is_never_yes(L, parts + 1))
        lua_pushvalue(L, parts + 4);
    else if (is_never_yes(L, parts + 2))
        lua_pushvalue(L, parts + 3);
    else
        push_choice(L, parts, parts + 3, parts + 4);
    lua_replace(L, parts);
    lua_settop(L, parts);
}

static int l_and(lua_State *L) {
    lua_settop(L, 2);
    int truth = masks_truth(L, 1);
    if (truth < 0) return lua_pushvalue(L, truth == PLAINLY_YES ? 2 : 1), 1;
    push_truth(L, truth);
    push_no_part(L, 1);
    return push_choice(L, 3, 2, 4);
}

static int l_or(lua_State *L) {
    lua_settop(L, 2);
    uint32_t index;
    if (sort_of(L, 1, &index) == COLUMN && common_kind(L, 1, 2) == KIND_NUMBER) {
        int b = node_at(L, 2, KIND_NUMBER); /* as :or_else */
        int node = checked(
            L, at_program_binary(&language_of(L)->program, AT_OP_OR_ELSE, AT_COLUMN_NUMBER, (int)index, b));
        push_node(L, form_choice(L, node, (int)index, b));
        return 1;
    }
    int truth = masks_truth(L, 1);
    if (truth < 0) return lua_pushvalue(L, truth == PLAINLY_YES ? 1 : 2), 1;
    push_truth(L, truth);
    push_yes_part(L, 1);
    return push_choice(L, 3, 4, 2);
}

/* ---- comparisons ---- */

static int compare(lua_State *L, enum at_column_op op, int sign) {
    lua_settop(L, 2);
    if (is_plain(L, 1) && is_plain(L, 2)) {
        bool is_swapped = op == AT_OP_ABOVE || op == AT_OP_AT_LEAST; /* a > b is b < a */
        lua_pushboolean(L, lua_compare(L, is_swapped ? 2 : 1, is_swapped ? 1 : 2, sign));
        return 1;
    }
    if (lua_isnil(L, 1) || lua_isnil(L, 2)) return lua_pushboolean(L, 0), 1;
    if (kind_at(L, 1) != KIND_NUMBER || kind_at(L, 2) != KIND_NUMBER) need_rows(L);
    int a = node_at(L, 1, KIND_NUMBER), b = node_at(L, 2, KIND_NUMBER);
    return push_truth(L, binary(L, op, a, b));
}
static int l_lt(lua_State *L) {
    return compare(L, AT_OP_BELOW, LUA_OPLT);
}
static int l_le(lua_State *L) {
    return compare(L, AT_OP_AT_MOST, LUA_OPLE);
}
static int l_gt(lua_State *L) {
    return compare(L, AT_OP_ABOVE, LUA_OPLT);
}
static int l_ge(lua_State *L) {
    return compare(L, AT_OP_AT_LEAST, LUA_OPLE);
}

static int equals(lua_State *L, int a, int b);

static int text_equals(lua_State *L, uint32_t column, int other) {
    struct at_language *language = language_of(L);
    const struct at_column held = *column_of(L, column);
    if (lua_isnil(L, other)) return negated(L, exists(L, column));
    if (!is_plain(L, other)) need_rows(L);
    if (held.type == AT_COLUMN_LIST || lua_type(L, other) != LUA_TSTRING) return PLAINLY_NO;
    size_t length;
    const char *text = lua_tolstring(L, other, &length);
    uint32_t *code = at_arena_alloc(language->view->arena, sizeof *code);
    if (!code) need_rows(L);
    *code = at_root_code_of(language->view->root, held.attribute, text, length);
    if (!*code) return PLAINLY_NO;
    int node = checked(L, at_program_add(&language->program, AT_OP_IN_CODES, AT_COLUMN_BOOL));
    struct at_column *in = column_of(L, (uint32_t)node);
    in->a = (uint16_t)column;
    in->codes.list = code;
    in->codes.count = 1;
    return node;
}

/* One of the two is a column. */
static int column_equals(lua_State *L, int a, int b) {
    uint32_t index;
    int column = sort_of(L, a, &index) == COLUMN ? a : b, other = column == a ? b : a;
    sort_of(L, column, &index);
    if (is_texts(column_of(L, index))) return text_equals(L, index, other);
    enum kind kind = kind_at(L, column), with = kind_at(L, other);
    if (with == KIND_NIL) return negated(L, exists(L, index));
    if (with == kind) return binary(L, AT_OP_EQUAL, node_at(L, a, kind), node_at(L, b, kind));
    if (is_plain(L, other)) return PLAINLY_NO;
    uint32_t second;
    sort_of(L, other, &second);
    if (is_texts(column_of(L, second)) && second == index) need_rows(L);
    int any =
        binary(L, AT_OP_ANY, exists(L, index), exists(L, second)); /* two types: equal where both are nil */
    return negated(L, any);
}

static int mixed_equals(lua_State *L, uint32_t mixed, int other) {
    int parts = push_parts(L, mixed);
    int condition = masks_truth(L, parts), yes = equals(L, parts + 1, other),
        no = equals(L, parts + 2, other);
    lua_settop(L, parts - 1);
    if (yes == no) return yes;
    return chosen(L, AT_COLUMN_BOOL, as_node(L, condition), as_node(L, yes), as_node(L, no));
}

static int equals(lua_State *L, int a, int b) {
    uint32_t index;
    if (sort_of(L, a, &index) == MIXED) return mixed_equals(L, index, b);
    if (sort_of(L, b, &index) == MIXED) return mixed_equals(L, index, a);
    if (is_plain(L, a) && is_plain(L, b)) return lua_compare(L, a, b, LUA_OPEQ) ? PLAINLY_YES : PLAINLY_NO;
    return column_equals(L, a, b);
}

static int l_eq(lua_State *L) {
    lua_settop(L, 2);
    return push_truth(L, equals(L, 1, 2));
}
static int l_ne(lua_State *L) {
    lua_settop(L, 2);
    int truth = equals(L, 1, 2);
    if (truth < 0) return push_truth(L, truth == PLAINLY_YES ? PLAINLY_NO : PLAINLY_YES);
    return push_truth(L, negated(L, truth));
}

/* t[key], where the key is the product's: only an affinity's facet answers for all. */
static int l_key(lua_State *L) {
    uint32_t index;
    lua_settop(L, 2);
    bool is_facet = lua_type(L, 1) == LUA_TLIGHTUSERDATA && view_at(L, 1, &index) == VIEW_FACET;
    if (!is_facet && !is_plain(L, 2)) need_rows(L);
    lua_gettable(L, 1);
    return 1;
}

/* ---- math, which fails for what is missing ---- */

/* For these products Lua would fail, or compute with integers too large: the rule runs product by product. */
static void raise_where(lua_State *L, int node) {
    struct at_language *language = language_of(L);
    language->raises = language->raises < 0 ? node : binary(L, AT_OP_ANY, language->raises, node);
}

static int math_operand(lua_State *L, int at) {
    uint32_t index;
    if (kind_at(L, at) != KIND_NUMBER) need_rows(L);
    int node = node_at(L, at, KIND_NUMBER);
    if (sort_of(L, at, &index) == COLUMN) raise_where(L, negated(L, exists(L, (uint32_t)node)));
    return node;
}

static int call_plain(lua_State *L) {
    int count = lua_gettop(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, 1);
    return 1;
}

static int rounded(lua_State *L, enum at_column_op op) {
    if (is_plain(L, 1)) return call_plain(L);
    struct at_language *language = language_of(L);
    struct at_program *program = &language->program;
    int a = math_operand(L, 1);
    int high = at_program_const(program, WHOLE_MAX, AT_COLUMN_NUMBER);
    int low = at_program_const(program, -WHOLE_MAX, AT_COLUMN_NUMBER);
    int above = binary(L, AT_OP_ABOVE, a, checked(L, low)),
        below = binary(L, AT_OP_BELOW, a, checked(L, high));
    raise_where(L, negated(L, binary(L, AT_OP_ALL, above, below)));
    int node = checked(L, add_unary(program, op, AT_COLUMN_NUMBER, a));
    language->form[node] = FORM_INTEGER;
    language->form_bound[node] = WHOLE_MAX;
    push_node(L, node);
    return 1;
}
static int l_round_down(lua_State *L) {
    return rounded(L, AT_OP_FLOOR);
}
static int l_round_up(lua_State *L) {
    return rounded(L, AT_OP_CEIL);
}

static int of_one(lua_State *L, enum at_column_op op) {
    if (is_plain(L, 1)) return call_plain(L);
    struct at_language *language = language_of(L);
    int a = math_operand(L, 1);
    int node = checked(L, add_unary(&language->program, op, AT_COLUMN_NUMBER, a));
    if (op == AT_OP_ABS) {
        language->form[node] = language->form[a];
        language->form_bound[node] = language->form_bound[a];
    }
    push_node(L, node);
    return 1;
}
static int l_abs(lua_State *L) {
    return of_one(L, AT_OP_ABS);
}
static int l_sqrt(lua_State *L) {
    return of_one(L, AT_OP_SQRT);
}
static int l_log(lua_State *L) {
    return of_one(L, AT_OP_LOG);
}

static int extreme(lua_State *L, enum at_column_op op) {
    int count = lua_gettop(L);
    bool are_plain = true;
    for (int i = 1; i <= count; i++) are_plain &= is_plain(L, i);
    if (are_plain) return call_plain(L);
    int node = math_operand(L, 1);
    for (int i = 2; i <= count; i++) {
        int other = math_operand(L, i);
        int made = checked(L, at_program_binary(&language_of(L)->program, op, AT_COLUMN_NUMBER, node, other));
        node = form_choice(L, made, node, other);
    }
    push_node(L, node);
    return 1;
}
static int l_max(lua_State *L) {
    return extreme(L, AT_OP_MAX);
}
static int l_min(lua_State *L) {
    return extreme(L, AT_OP_MIN);
}

/* ---- installing ---- */

static const luaL_Reg primitives[] = {{"__at_test", l_test}, {"__at_select", l_select}, {"__at_not", l_not},
                                      {"__at_both", l_both}, {"__at_either", l_either}, {"__at_and", l_and},
                                      {"__at_or", l_or},     {"__at_lt", l_lt},         {"__at_le", l_le},
                                      {"__at_gt", l_gt},     {"__at_ge", l_ge},         {"__at_eq", l_eq},
                                      {"__at_ne", l_ne},     {"__at_key", l_key},       {NULL, NULL}};
static const luaL_Reg of_math[] = {
    {"__at_floor", l_round_down}, {"__at_ceil", l_round_up}, {"__at_abs", l_abs}, {"__at_sqrt", l_sqrt},
    {"__at_log", l_log},          {"__at_max", l_max},       {"__at_min", l_min}, {NULL, NULL}};

void push_primitive(lua_State *L, const char *name) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, primitives_address);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

void install_masks(lua_State *L) {
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, mixed_address);
    lua_newtable(L);
    luaL_setfuncs(L, primitives, 0);
    at_script_push_globals(L);
    lua_getfield(L, -1, "math");
    lua_remove(L, -2);
    for (const luaL_Reg *one = of_math; one->name; one++) {
        lua_getfield(L, -1, one->name + sizeof "__at_" - 1);
        lua_pushcclosure(L, one->func, 1);
        lua_setfield(L, -3, one->name);
    }
    lua_pop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, primitives_address);
}
