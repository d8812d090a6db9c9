/* SPDX-License-Identifier: Apache-2.0
 *
 * Integers among columns. Lua keeps an integer where both sides of + - * // % are integers; columns are
 * doubles. Up to 2^53 they differ in one thing, the sign of a zero: −0 is no integer, so 0 * -1, -(0) and
 * -5 % 5 are 0 where they are integers. A node's form says whether it holds integers (forms of missing values
 * do not matter); where it holds both, a mask of the products with integers is made when something needs it.
 */
#include <math.h>
#include "language/state.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53 */

int add_unary(struct at_program *program, enum at_column_op op, enum at_column_type type, int a) {
    int node = a < 0 ? -1 : at_program_add(program, op, type);
    if (node >= 0) program->nodes[node].a = (uint16_t)a;
    return node;
}

int form_constant(lua_State *L, int at) {
    struct at_language *language = language_of(L);
    double value = lua_tonumber(L, at);
    int node = at_program_const(&language->program, value, AT_COLUMN_NUMBER);
    if (node < 0) need_rows(L);
    if (!lua_isinteger(L, at)) return node;
    if (fabs(value) >= EXACT_MAX) need_rows(L); /* doubles do not hold it */
    language->form[node] = FORM_INTEGER;
    language->form_bound[node] = fabs(value);
    return node;
}

static int set_form(lua_State *L, int node, uint8_t form, double bound) {
    struct at_language *language = language_of(L);
    if (node < 0 || bound >= EXACT_MAX) need_rows(L);
    language->form[node] = form;
    language->form_bound[node] = bound;
    return node;
}

/* ---- which products have an integer ---- */

static int integers_of(lua_State *L, int node);

static int choose(lua_State *L, int condition, int yes, int no, enum at_column_type type) {
    struct at_program *program = &language_of(L)->program;
    int node = condition < 0 || yes < 0 || no < 0 ? -1 : at_program_add(program, AT_OP_WHEN, type);
    if (node < 0) need_rows(L);
    program->nodes[node].a = (uint16_t)condition;
    program->nodes[node].b = (uint16_t)yes;
    program->nodes[node].c = (uint16_t)no;
    return node;
}

static int flag(lua_State *L, bool value) {
    int node = at_program_const(&language_of(L)->program, value, AT_COLUMN_BOOL);
    if (node < 0) need_rows(L);
    return node;
}

static int exists(lua_State *L, int node) {
    return add_unary(&language_of(L)->program, AT_OP_EXISTS, AT_COLUMN_BOOL, node);
}

static int both(lua_State *L, int a, int b) {
    return at_program_binary(&language_of(L)->program, AT_OP_ALL, AT_COLUMN_BOOL, a, b);
}

/* Of a + b and a − b: where a part is missing, the other stays as it is. */
static int integers_of_sum(lua_State *L, const struct at_column *sum) {
    int a = integers_of(L, sum->a), b = integers_of(L, sum->b);
    int with_a = choose(L, exists(L, sum->b), both(L, a, b), a, AT_COLUMN_BOOL);
    return choose(L, exists(L, sum->a), with_a, sum->op == AT_OP_ADD ? b : flag(L, false), AT_COLUMN_BOOL);
}

static int integers_of_node(lua_State *L, int node) {
    const struct at_column column = language_of(L)->program.nodes[node];
    struct at_program *program = &language_of(L)->program;
    switch (column.op) {
    case AT_OP_CONST: return flag(L, true);
    case AT_OP_WHEN:
        return choose(L, column.a, integers_of(L, column.b), integers_of(L, column.c), AT_COLUMN_BOOL);
    case AT_OP_OR_ELSE:
        return choose(L, exists(L, column.a), integers_of(L, column.a), integers_of(L, column.b),
                      AT_COLUMN_BOOL);
    case AT_OP_ADD:
    case AT_OP_SUB: return integers_of_sum(L, &column);
    case AT_OP_MUL: return both(L, integers_of(L, column.a), integers_of(L, column.b));
    case AT_OP_MIN:
    case AT_OP_MAX: {
        int second = at_program_binary(program, column.op == AT_OP_MAX ? AT_OP_ABOVE : AT_OP_BELOW,
                                       AT_COLUMN_BOOL, column.b, column.a);
        return choose(L, second, integers_of(L, column.b), integers_of(L, column.a), AT_COLUMN_BOOL);
    }
    case AT_OP_ABS: return integers_of(L, column.a);
    case AT_OP_FLOOR:
    case AT_OP_CEIL: return exists(L, node);
    default: need_rows(L);
    }
}

static int integers_of(lua_State *L, int node) {
    struct at_language *language = language_of(L);
    if (language->form[node] == FORM_FLOAT) return flag(L, false);
    if (!language->form_mask[node]) {
        int mask = integers_of_node(L, node);
        if (mask < 0) need_rows(L);
        language->form_mask[node] = (uint16_t)mask;
    }
    return language->form_mask[node];
}

/* ---- operations ---- */

static int add_binary(lua_State *L, enum at_column_op op, int a, int b) {
    int node = at_program_binary(&language_of(L)->program, op, AT_COLUMN_NUMBER, a, b);
    if (node < 0) need_rows(L);
    return node;
}

/* What a double computed, where integers are without −0. */
static int without_negative_zero(lua_State *L, int node, int a, int b, double bound) {
    int integers = both(L, integers_of(L, a), integers_of(L, b));
    int zero = at_program_const(&language_of(L)->program, 0, AT_COLUMN_NUMBER);
    if (zero < 0) need_rows(L);
    int chosen = choose(L, integers, add_binary(L, AT_OP_ADD, node, zero), node, AT_COLUMN_NUMBER);
    language_of(L)->form_mask[chosen] = (uint16_t)integers;
    return set_form(L, chosen, FORM_EITHER, bound);
}

static bool is_above_zero(const struct at_language *language, int node) {
    const struct at_column *column = &language->program.nodes[node];
    return column->op == AT_OP_CONST && column->value > 0;
}

/* Of * // % both sides hold integers. */
static int product_of_integers(lua_State *L, enum at_column_op op, int a, int b) {
    const struct at_language *language = language_of(L);
    const struct at_column *right = &language->program.nodes[b];
    double bound = language->form_bound[a] * (op == AT_OP_MUL ? language->form_bound[b] : 1);
    if (op == AT_OP_MOD) bound = language->form_bound[b];
    /* by zero Lua fails where both are integers */
    if (op != AT_OP_MUL && (right->op != AT_OP_CONST || right->value == 0)) need_rows(L);
    int node = add_binary(L, op, a, b);
    if (op != AT_OP_MUL || !(is_above_zero(language, a) || is_above_zero(language, b)))
        return without_negative_zero(L, node, a, b, bound);
    return set_form(L, node, FORM_EITHER, bound);
}

int form_binary(lua_State *L, enum at_column_op op, int a, int b) {
    const struct at_language *language = language_of(L);
    uint8_t left = language->form[a], right = language->form[b];
    bool is_float = op == AT_OP_DIV || op == AT_OP_POW || (left == FORM_FLOAT && right == FORM_FLOAT);
    if (is_float) return add_binary(L, op, a, b);
    if (op == AT_OP_ADD || op == AT_OP_SUB) {
        double bound = (left ? language->form_bound[a] : 0) + (right ? language->form_bound[b] : 0);
        return set_form(L, add_binary(L, op, a, b), FORM_EITHER, bound);
    }
    if (left == FORM_FLOAT || right == FORM_FLOAT) return add_binary(L, op, a, b);
    return product_of_integers(L, op, a, b);
}

int form_negative(lua_State *L, int a) {
    struct at_language *language = language_of(L);
    int negative = add_unary(&language->program, AT_OP_NEG, AT_COLUMN_NUMBER, a);
    if (negative < 0) need_rows(L);
    if (language->form[a] == FORM_FLOAT) return negative;
    int integers = integers_of(L, a), zero = at_program_const(&language->program, 0, AT_COLUMN_NUMBER);
    if (zero < 0) need_rows(L);
    int node = choose(L, integers, add_binary(L, AT_OP_SUB, zero, a), negative, AT_COLUMN_NUMBER);
    language->form_mask[node] = (uint16_t)integers;
    return set_form(L, node, FORM_EITHER, language->form_bound[a]);
}

int form_choice(lua_State *L, int node, int a, int b) {
    const struct at_language *language = language_of(L);
    if (node < 0 || (language->form[a] == FORM_FLOAT && language->form[b] == FORM_FLOAT)) return node;
    double left = language->form[a] ? language->form_bound[a] : 0,
           right = language->form[b] ? language->form_bound[b] : 0;
    const struct at_column *column = &language->program.nodes[node];
    if (column->op == AT_OP_CONST) { /* folded: a :or_else of two constants */
        int chosen = at_is_missing(language->program.nodes[a].value) ? b : a;
        return set_form(L, node, language->form[chosen], language->form_bound[chosen]);
    }
    return set_form(L, node, FORM_EITHER, left > right ? left : right);
}
