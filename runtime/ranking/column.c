/* SPDX-License-Identifier: Apache-2.0
 *
 * Building column programs and the scalar twin of every operation. The kernels over blocks are in
 * column_run.c; both use the inline operations of column_ops.h, so that one definition decides what an
 * operation means.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ranking/column.h"
#include "ranking/column_ops.h"

void at_program_init(struct at_program *program, const struct at_root *root, struct at_arena *arena) {
    *program = (struct at_program){.root = root, .arena = arena};
}

static bool grow_nodes(struct at_program *program) {
    uint32_t capacity = program->capacity ? program->capacity * 2 : 64;
    struct at_column *nodes = at_arena_alloc(program->arena, capacity * sizeof *nodes);
    if (!nodes) return false;
    if (program->count) memcpy(nodes, program->nodes, program->count * sizeof *nodes);
    program->nodes = nodes;
    program->capacity = capacity;
    return true;
}

int at_program_add(struct at_program *program, enum at_column_op op, enum at_column_type type) {
    if (program->count >= AT_NODES_MAX) return -1;
    if (program->count == program->capacity && !grow_nodes(program)) return -1;
    struct at_column *node = &program->nodes[program->count];
    memset(node, 0, sizeof *node);
    node->op = op;
    node->type = type;
    return (int)program->count++;
}

int at_program_const(struct at_program *program, double value, enum at_column_type type) {
    int index = at_program_add(program, AT_OP_CONST, type);
    if (index >= 0) program->nodes[index].value = value;
    return index;
}

int at_program_binary(struct at_program *program, enum at_column_op op, enum at_column_type type, int a,
                      int b) {
    if (a < 0 || b < 0) return -1;
    const struct at_column *left = &program->nodes[a], *right = &program->nodes[b];
    if (left->op == AT_OP_CONST && right->op == AT_OP_CONST)
        return at_program_const(program, at_scalar(op, left->value, right->value), type);
    int index = at_program_add(program, op, type);
    if (index < 0) return -1;
    program->nodes[index].a = (uint16_t)a;
    program->nodes[index].b = (uint16_t)b;
    return index;
}

double at_scalar(enum at_column_op op, double a, double b) {
    switch (op) {
    case AT_OP_ADD: return op_add(a, b);
    case AT_OP_SUB: return op_sub(a, b);
    case AT_OP_MUL: return op_mul(a, b);
    case AT_OP_DIV: return op_div(a, b);
    case AT_OP_POW: return op_pow(a, b);
    case AT_OP_IDIV: return op_idiv(a, b);
    case AT_OP_MOD: return op_mod(a, b);
    case AT_OP_NEG: return op_neg(a);
    case AT_OP_MIN: return op_min(a, b);
    case AT_OP_MAX: return op_max(a, b);
    case AT_OP_LOG: return op_log(a);
    case AT_OP_SQRT: return op_sqrt(a);
    case AT_OP_FLOOR: return op_floor(a);
    case AT_OP_CEIL: return op_ceil(a);
    case AT_OP_ABS: return op_abs(a);
    case AT_OP_EXISTS: return op_exists(a);
    case AT_OP_EQUAL: return op_equal(a, b);
    case AT_OP_OR_ELSE: return op_or_else(a, b);
    case AT_OP_ABOVE: return op_above(a, b);
    case AT_OP_BELOW: return op_below(a, b);
    case AT_OP_AT_LEAST: return op_at_least(a, b);
    case AT_OP_AT_MOST: return op_at_most(a, b);
    case AT_OP_IS: return op_is(a, b);
    case AT_OP_IS_NOT: return op_is_not(a, b);
    case AT_OP_ALL: return op_all(a, b);
    case AT_OP_ANY: return op_any(a, b);
    case AT_OP_NO: return op_no(a);
    default: AT_ASSERT(!"an operation of two scalars");
    }
    return 0;
}

double at_scalar_when(double condition, double yes, double no) {
    return op_when(condition, yes, no);
}

static bool holds_code(const uint32_t *sorted, uint32_t count, uint32_t code) {
    for (uint32_t i = 0; i < count; i++)
        if (sorted[i] == code) return true;
    return false;
}

bool at_scalar_in_codes(const struct at_root *root, const struct at_column *column, uint32_t row,
                        const uint32_t *codes, uint32_t count) {
    uint32_t code = at_root_code(root, column->attribute, row);
    if (!code) return false;
    if (column->op == AT_OP_CODE) return holds_code(codes, count, code);
    uint32_t held_count;
    const uint32_t *held = at_root_set(root, column->attribute, code, &held_count);
    for (uint32_t i = 0; i < held_count; i++)
        if (holds_code(codes, count, held[i])) return true;
    return false;
}

double at_scalar_taste_of_code(const struct at_root *root, const struct at_facet_table *facet,
                               uint32_t code) {
    if (!code || !facet->is_list) return facet->by_code[code];
    uint32_t count;
    const uint32_t *codes = at_root_set(root, facet->attribute, code, &count);
    double best = 0;
    for (uint32_t i = 0; i < count; i++)
        if (facet->by_code[codes[i]] > best) best = facet->by_code[codes[i]];
    return best;
}

double at_scalar_taste(const struct at_root *root, const struct at_facet_table *facets, uint32_t count,
                       uint32_t row) {
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t code = at_root_code(root, facets[i].attribute, row);
        sum += facets[i].weight * at_scalar_taste_of_code(root, &facets[i], code);
    }
    return sum < 0 ? 0 : sum;
}

void at_normalize(const double *in, double *out, uint32_t count) {
    double low = INFINITY, high = -INFINITY;
    for (uint32_t i = 0; i < count; i++) {
        if (at_is_missing(in[i]) || !isfinite(in[i])) continue;
        if (in[i] < low) low = in[i];
        if (in[i] > high) high = in[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        if (at_is_missing(in[i]))
            out[i] = in[i];
        else
            out[i] = high > low ? (in[i] - low) / (high - low) : 0;
    }
}

static int compare_descending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Rank of value in sorted (descending): one more than how many are larger. */
static double rank_in(const double *sorted, uint32_t count, double value) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sorted[middle] > value)
            low = middle + 1;
        else
            high = middle;
    }
    return low + 1.0;
}

enum at_status at_rank_of(const double *in, double *out, uint32_t count, struct at_arena *arena) {
    double *sorted = at_arena_alloc(arena, (count + 1) * sizeof *sorted);
    if (!sorted) return AT_NOMEM;
    uint32_t known = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!isnan(in[i])) sorted[known++] = in[i];
    qsort(sorted, known, sizeof *sorted, compare_descending);
    for (uint32_t i = 0; i < count; i++) out[i] = isnan(in[i]) ? at_missing() : rank_in(sorted, known, in[i]);
    return AT_OK;
}
