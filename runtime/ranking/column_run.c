/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluates a column program over candidates, block by block: every node that the result needs gets one
 * buffer of a block; loads gather from the root's chunks, operations are loops the compiler turns into vector
 * code. normalize and rank_of need all candidates: their argument is run first and becomes a vector.
 */
#include <math.h>
#include <string.h>
#include "base/kernel.h"
#include "ranking/column.h"
#include "ranking/column_ops.h"
#include "ranking/internal.h"
#include "ranking/pack.h"

struct block {
    const struct at_program *program;
    const uint32_t *rows; /* of this block */
    uint32_t first, count;
    double **buffers; /* by node */
    const bool *is_sure;
    struct at_packed packed; /* rows and bits NULL: none */
};

#define KERNEL_BINARY(name)                                                                                  \
    AT_KERNEL static void run_##name(double *restrict out, const double *restrict a,                         \
                                     const double *restrict b, uint32_t n) {                                 \
        for (uint32_t i = 0; i < n; i++) out[i] = op_##name(a[i], b[i]);                                     \
    }
#define KERNEL_UNARY(name)                                                                                   \
    AT_KERNEL static void run_##name(double *restrict out, const double *restrict a, uint32_t n) {           \
        for (uint32_t i = 0; i < n; i++) out[i] = op_##name(a[i]);                                           \
    }
KERNEL_BINARY(add)
KERNEL_BINARY(sub)
KERNEL_BINARY(mul)
KERNEL_BINARY(div)
KERNEL_BINARY(pow)
KERNEL_BINARY(idiv)
KERNEL_BINARY(mod)
KERNEL_BINARY(equal)
KERNEL_BINARY(min)
KERNEL_BINARY(max)
KERNEL_BINARY(plain_add)
KERNEL_BINARY(plain_sub)
KERNEL_BINARY(plain_mul)
KERNEL_BINARY(plain_div)
KERNEL_BINARY(or_else)
KERNEL_BINARY(above)
KERNEL_BINARY(below)
KERNEL_BINARY(at_least)
KERNEL_BINARY(at_most)
KERNEL_BINARY(is)
KERNEL_BINARY(is_not)
KERNEL_BINARY(all)
KERNEL_BINARY(any)
KERNEL_UNARY(neg)
KERNEL_UNARY(log)
KERNEL_UNARY(sqrt)
KERNEL_UNARY(no)
KERNEL_UNARY(floor)
KERNEL_UNARY(ceil)
KERNEL_UNARY(abs)
KERNEL_UNARY(exists)

AT_KERNEL static void run_when(double *restrict out, const double *restrict condition,
                               const double *restrict yes, const double *restrict no, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) out[i] = op_when(condition[i], yes[i], no[i]);
}

static void fill(double *out, double value, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) out[i] = value;
}

static double age_of(double now, double released) {
    if (at_is_missing(released)) return released;
    return now > released ? now - released : 0;
}

static void load_age(const struct block *block, const struct at_column *node, double *out) {
    at_root_gather_numbers(block->program->root, node->attribute, block->rows, block->count, out);
    for (uint32_t i = 0; i < block->count; i++) out[i] = age_of(node->value, out[i]);
}

static void load_by_code(const struct block *block, const struct at_column *node, double *out) {
    uint32_t codes[AT_BLOCK];
    at_root_gather_codes(block->program->root, node->attribute, block->rows, block->count, codes);
    for (uint32_t i = 0; i < block->count; i++) out[i] = node->by_code[codes[i]];
}

static void load_in_codes(const struct block *block, const struct at_column *node, double *out) {
    const struct at_program *program = block->program;
    const struct at_column *held = &program->nodes[node->a];
    for (uint32_t i = 0; i < block->count; i++)
        out[i] = at_scalar_in_codes(program->root, held, block->rows[i], node->codes.list, node->codes.count);
}

static void load_held(const struct block *block, const struct at_column *node, double *out) {
    uint32_t codes[AT_BLOCK];
    at_root_gather_codes(block->program->root, node->attribute, block->rows, block->count, codes);
    for (uint32_t i = 0; i < block->count; i++) out[i] = codes[i] ? 1 : 0;
}

AT_KERNEL static void add_weighted(double *restrict out, const double *restrict by_code,
                                   const uint32_t *restrict codes, double weight, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) out[i] += weight * by_code[codes[i]];
}

/* ---- packed rows ---- */

static inline const unsigned char *packed_at(const struct block *block, uint32_t i) {
    return block->packed.rows + ((size_t)block->rows[i] << block->packed.shift);
}

/* All rows of the block are asked for before the first is read. */
static void fetch_packed(const struct block *block) {
    for (uint32_t i = 0; i < block->count; i++) __builtin_prefetch(packed_at(block, i));
}

static void load_kept(const struct block *block, const struct at_column *node, double *out) {
    size_t at = node->kept.first * sizeof *out;
    for (uint32_t i = 0; i < block->count; i++) memcpy(&out[i], packed_at(block, i) + at, sizeof *out);
}

static void load_verdict(const struct block *block, double *out) {
    const uint64_t *bits = block->packed.bits;
    const uint32_t *rows = block->rows;
    for (uint32_t i = 0, n = block->count; i < n; i++)
        out[i] = (double)(uint32_t)(bits[rows[i] / 64] >> rows[i] % 64 & 1);
}

#define ADD_KEPT(terms)                                                                                      \
    static void add_kept_##terms(const struct block *block, size_t at, double *out, const double *a) {       \
        const struct at_packed packed = block->packed;                                                       \
        const uint32_t *rows = block->rows;                                                                  \
        for (uint32_t i = 0, n = block->count; i < n; i++) {                                                 \
            const double *term =                                                                             \
                (const double *)(const void *)(packed.rows + ((size_t)rows[i] << packed.shift) + at);        \
            out[i] = ADD_##terms;                                                                            \
        }                                                                                                    \
    }
#define ADD_1 (a[i] + term[0])
#define ADD_2 (ADD_1 + term[1])
#define ADD_3 (ADD_2 + term[2])
#define ADD_4 (ADD_3 + term[3])
ADD_KEPT(1)
ADD_KEPT(2)
ADD_KEPT(3)
ADD_KEPT(4)

/* One after the other, as the rule adds them. */
static void run_sum(const struct block *block, const struct at_column *node, double *out, const double *a) {
    size_t at = node->kept.first * sizeof *out;
    uint32_t left = node->kept.count;
    for (; left >= 4; left -= 4, at += 4 * sizeof *out, a = out) add_kept_4(block, at, out, a);
    if (left == 3) add_kept_3(block, at, out, a);
    if (left == 2) add_kept_2(block, at, out, a);
    if (left == 1) add_kept_1(block, at, out, a);
}

/* ---- tastes ---- */

#define TASTE_OF(f) (weight_##f * table_##f[*(const uint32_t *)(const void *)(row + at_##f)])
#define FACET(f)                                                                                             \
    const double weight_##f = facets[f].weight, *const table_##f = facets[f].by_code;                        \
    const size_t at_##f = (size_t)at[f]
#define ADD_TABLES(several, sum)                                                                             \
    static void add_tables_##several(const struct block *block, const struct at_facet_table *facets,         \
                                     const int *at, double *out) {                                           \
        const struct at_packed packed = block->packed;                                                       \
        const uint32_t *rows = block->rows;                                                                  \
        FACETS_##several;                                                                                    \
        for (uint32_t i = 0, n = block->count; i < n; i++) {                                                 \
            const unsigned char *row = packed.rows + ((size_t)rows[i] << packed.shift);                      \
            out[i] = sum;                                                                                    \
        }                                                                                                    \
    }
#define FACETS_1 FACET(0)
#define FACETS_2                                                                                             \
    FACETS_1;                                                                                                \
    FACET(1)
#define FACETS_3                                                                                             \
    FACETS_2;                                                                                                \
    FACET(2)
ADD_TABLES(1, out[i] + TASTE_OF(0))
ADD_TABLES(2, out[i] + TASTE_OF(0) + TASTE_OF(1))
ADD_TABLES(3, out[i] + TASTE_OF(0) + TASTE_OF(1) + TASTE_OF(2))

/* As many of the facets from here as are packed and no lists, up to three, at one visit of each row. */
static uint32_t add_packed(const struct block *block, const struct at_facet_table *facets, uint32_t count,
                           double *out) {
    int at[3];
    uint32_t n = 0;
    for (; block->packed.rows && n < count && n < 3 && !facets[n].is_list; n++) {
        at[n] = at_pack_codes_at(block->program->pack, facets[n].attribute);
        if (at[n] < 0) break;
    }
    if (n == 3) add_tables_3(block, facets, at, out);
    if (n == 2) add_tables_2(block, facets, at, out);
    if (n == 1) add_tables_1(block, facets, at, out);
    return n;
}

static void gather_codes(const struct block *block, int attribute, uint32_t *codes) {
    int at = block->packed.rows ? at_pack_codes_at(block->program->pack, attribute) : -1;
    if (at < 0)
        at_root_gather_codes(block->program->root, attribute, block->rows, block->count, codes);
    else
        for (uint32_t i = 0; i < block->count; i++)
            memcpy(&codes[i], packed_at(block, i) + at, sizeof codes[i]);
}

static void add_facet(const struct block *block, const struct at_facet_table *facet, double *out) {
    uint32_t codes[AT_BLOCK];
    gather_codes(block, facet->attribute, codes);
    if (facet->is_list)
        for (uint32_t i = 0; i < block->count; i++)
            out[i] += facet->weight * at_scalar_taste_of_code(block->program->root, facet, codes[i]);
    else
        add_weighted(out, facet->by_code, codes, facet->weight, block->count);
}

/* Facet by facet, in the scalar twin's order of sums: bit for bit the same. */
static void load_taste(const struct block *block, const struct at_column *node, double *out) {
    fill(out, 0, block->count);
    for (uint32_t f = 0; f < node->taste.count;) {
        const struct at_facet_table *facets = &node->taste.facets[f];
        uint32_t added = add_packed(block, facets, node->taste.count - f, out);
        if (!added) add_facet(block, facets, out);
        f += added ? added : 1;
    }
    if (!node->taste.count || node->taste.facets[node->taste.count - 1].weight >= 0) return;
    for (uint32_t i = 0; i < block->count; i++)
        if (out[i] < 0) out[i] = 0;
}

static void run_binary(enum at_column_op op, double *out, const double *a, const double *b, uint32_t n) {
    switch (op) {
    case AT_OP_ADD: run_add(out, a, b, n); break;
    case AT_OP_SUB: run_sub(out, a, b, n); break;
    case AT_OP_MUL: run_mul(out, a, b, n); break;
    case AT_OP_DIV: run_div(out, a, b, n); break;
    case AT_OP_POW: run_pow(out, a, b, n); break;
    case AT_OP_IDIV: run_idiv(out, a, b, n); break;
    case AT_OP_MOD: run_mod(out, a, b, n); break;
    case AT_OP_EQUAL: run_equal(out, a, b, n); break;
    case AT_OP_MIN: run_min(out, a, b, n); break;
    case AT_OP_MAX: run_max(out, a, b, n); break;
    case AT_OP_OR_ELSE: run_or_else(out, a, b, n); break;
    case AT_OP_ABOVE: run_above(out, a, b, n); break;
    case AT_OP_BELOW: run_below(out, a, b, n); break;
    case AT_OP_AT_LEAST: run_at_least(out, a, b, n); break;
    case AT_OP_AT_MOST: run_at_most(out, a, b, n); break;
    case AT_OP_IS: run_is(out, a, b, n); break;
    case AT_OP_IS_NOT: run_is_not(out, a, b, n); break;
    case AT_OP_ALL: run_all(out, a, b, n); break;
    case AT_OP_ANY: run_any(out, a, b, n); break;
    default: AT_ASSERT(!"a binary operation");
    }
}

bool at_op_is_condition(enum at_column_op op) {
    switch (op) {
    case AT_OP_IN_CODES:
    case AT_OP_ABOVE:
    case AT_OP_BELOW:
    case AT_OP_AT_LEAST:
    case AT_OP_AT_MOST:
    case AT_OP_IS:
    case AT_OP_IS_NOT:
    case AT_OP_EQUAL:
    case AT_OP_EXISTS:
    case AT_OP_HELD:
    case AT_OP_ALL:
    case AT_OP_ANY:
    case AT_OP_NO: return true;
    default: return false;
    }
}

/* Whether a node is never missing, whatever the product. A computed NaN is not: see op_strict. */
bool at_program_never_missing(const struct at_column *node, const bool *is_sure) {
    if (at_op_is_condition(node->op)) return true;
    switch (node->op) {
    case AT_OP_CONST: return !at_is_missing(node->value);
    case AT_OP_COUNTED:
    case AT_OP_BY_ROW:
    case AT_OP_TASTE:
    case AT_OP_BY_CODE:
    case AT_OP_VERDICT: return true;
    case AT_OP_OR_ELSE: return is_sure[node->b];
    case AT_OP_ADD:
    case AT_OP_SUB: return is_sure[node->a] || is_sure[node->b]; /* a missing part is left out */
    case AT_OP_MUL:
    case AT_OP_DIV: return is_sure[node->a] && is_sure[node->b];
    case AT_OP_WHEN: return is_sure[node->b] && is_sure[node->c];
    case AT_OP_KEPT:
    case AT_OP_SUM: return node->kept.is_sure;
    default: return false;
    }
}

static bool is_number(const struct at_column *node) {
    return node->op == AT_OP_CONST && !isnan(node->value);
}

/* These processors give the one NaN among two operands as the result, bit for bit: so a missing part of a
 * product with a number comes out missing by itself. */
#if defined(__x86_64__) || defined(__aarch64__)
#define CARRIES_NAN true
#else
#define CARRIES_NAN false
#endif

/* The operation without the care for what is missing, where none is needed; else the operation as it is. */
static bool run_plain(const struct block *block, const struct at_column *node, double *out) {
    const struct at_column *nodes = block->program->nodes;
    const double *a = block->buffers[node->a], *b = block->buffers[node->b];
    bool is_sure = block->is_sure[node->a] && block->is_sure[node->b];
    bool is_carried = CARRIES_NAN && (is_number(&nodes[node->a]) || is_number(&nodes[node->b]));
    if (!is_sure && !(is_carried && (node->op == AT_OP_MUL || node->op == AT_OP_DIV))) return false;
    switch (node->op) {
    case AT_OP_ADD: run_plain_add(out, a, b, block->count); return true;
    case AT_OP_SUB: run_plain_sub(out, a, b, block->count); return true;
    case AT_OP_MUL: run_plain_mul(out, a, b, block->count); return true;
    case AT_OP_DIV: run_plain_div(out, a, b, block->count); return true;
    default: return false;
    }
}

static void run_load(const struct block *block, const struct at_column *node, double *out) {
    switch (node->op) {
    case AT_OP_CONST: fill(out, node->value, block->count); break;
    case AT_OP_NUMBER:
        at_root_gather_numbers(block->program->root, node->attribute, block->rows, block->count, out);
        break;
    case AT_OP_COUNTED:
        at_root_gather_counted(block->program->root, (enum at_counted)node->attribute, block->rows,
                               block->count, out);
        break;
    case AT_OP_AGE: load_age(block, node, out); break;
    case AT_OP_KEPT: load_kept(block, node, out); break;
    case AT_OP_VERDICT: load_verdict(block, out); break;
    case AT_OP_BY_ROW:
        for (uint32_t i = 0; i < block->count; i++) out[i] = node->by_row[block->rows[i]];
        break;
    case AT_OP_VECTOR: memcpy(out, node->vector + block->first, block->count * sizeof *out); break;
    case AT_OP_TASTE: load_taste(block, node, out); break;
    case AT_OP_BY_CODE: load_by_code(block, node, out); break;
    case AT_OP_IN_CODES: load_in_codes(block, node, out); break;
    case AT_OP_HELD: load_held(block, node, out); break;
    default: AT_ASSERT(!"a load");
    }
}

static void run_node(const struct block *block, uint32_t index) {
    const struct at_column *node = &block->program->nodes[index];
    double *out = block->buffers[index];
    double *a = block->buffers[node->a], *b = block->buffers[node->b], *c = block->buffers[node->c];
    uint32_t n = block->count;
    switch (node->op) {
    case AT_OP_NEG: run_neg(out, a, n); break;
    case AT_OP_LOG: run_log(out, a, n); break;
    case AT_OP_SQRT: run_sqrt(out, a, n); break;
    case AT_OP_FLOOR: run_floor(out, a, n); break;
    case AT_OP_CEIL: run_ceil(out, a, n); break;
    case AT_OP_ABS: run_abs(out, a, n); break;
    case AT_OP_EXISTS: run_exists(out, a, n); break;
    case AT_OP_NO: run_no(out, a, n); break;
    case AT_OP_WHEN: run_when(out, a, b, c, n); break;
    case AT_OP_SUM: run_sum(block, node, out, a); break;
    case AT_OP_AGE_OF:
        for (uint32_t i = 0; i < n; i++) out[i] = age_of(node->value, a[i]);
        break;
    default:
        if (node->op < AT_OP_ADD || node->op > AT_OP_ANY || node->op == AT_OP_IN_CODES)
            run_load(block, node, out);
        else if (!run_plain(block, node, out))
            run_binary(node->op, out, a, b, n);
    }
}

/* How many operands a node reads through a, b, c. IN_CODES looks at its operand's attribute only. */
int at_program_operands(const struct at_column *node) {
    switch (node->op) {
    case AT_OP_WHEN: return 3;
    case AT_OP_NEG:
    case AT_OP_LOG:
    case AT_OP_SQRT:
    case AT_OP_FLOOR:
    case AT_OP_CEIL:
    case AT_OP_ABS:
    case AT_OP_EXISTS:
    case AT_OP_NO:
    case AT_OP_SUM:
    case AT_OP_AGE_OF:
    case AT_OP_NORMALIZE:
    case AT_OP_RANK_OF: return 1;
    case AT_OP_IN_CODES: return 0;
    default: return node->op >= AT_OP_ADD && node->op <= AT_OP_ANY ? 2 : 0;
    }
}

uint32_t at_program_needed(const struct at_program *program, int result, uint8_t *needed) {
    uint32_t count = 0;
    needed[result] = 1;
    for (int i = result; i >= 0; i--) {
        if (!needed[i]) continue;
        count++;
        const struct at_column *node = &program->nodes[i];
        int operands = at_program_operands(node);
        if (operands > 0) needed[node->a] = 1;
        if (operands > 1) needed[node->b] = 1;
        if (operands > 2) needed[node->c] = 1;
    }
    return count;
}

/* Run the argument of normalize or rank_of over all candidates; the node becomes a vector. */
static enum at_status widen(struct at_program *program, int index, const uint32_t *rows, uint32_t count) {
    struct at_column *node = &program->nodes[index];
    double *values = at_arena_alloc(program->arena, (count + 1) * sizeof *values);
    if (!values) return AT_NOMEM;
    enum at_status status = at_program_run(program, node->a, rows, count, values);
    if (status == AT_OK && node->op == AT_OP_RANK_OF)
        status = at_rank_of(values, values, count, program->arena);
    else if (status == AT_OK)
        at_normalize(values, values, count);
    node->op = AT_OP_VECTOR;
    node->vector = values;
    return status;
}

static uint32_t block_width(uint32_t count) {
    return count < AT_BLOCK ? count : AT_BLOCK;
}

static enum at_status widen_needed(struct at_program *program, int result, const uint32_t *rows,
                                   uint32_t count, uint8_t *needed, uint32_t *needed_count) {
    bool is_widened = false;
    for (int i = 0; i <= result; i++) {
        enum at_column_op op = program->nodes[i].op;
        if (!needed[i] || (op != AT_OP_NORMALIZE && op != AT_OP_RANK_OF)) continue;
        enum at_status status = widen(program, i, rows, count);
        if (status != AT_OK) return status;
        is_widened = true;
    }
    if (!is_widened) return AT_OK;
    memset(needed, 0, (size_t)result + 1); /* what only they needed is done */
    *needed_count = at_program_needed(program, result, needed);
    return AT_OK;
}

enum at_status at_program_run(struct at_program *program, int node, const uint32_t *rows, uint32_t count,
                              double *out) {
    AT_ASSERT(node >= 0 && (uint32_t)node < program->count);
    if (at_program_run_packed_sum(program, node, rows, count, out)) return AT_OK;
    uint8_t needed[AT_NODES_MAX];
    bool is_sure[AT_NODES_MAX];
    double *buffers[AT_NODES_MAX];
    memset(needed, 0, (size_t)node + 1);
    uint32_t needed_count = at_program_needed(program, node, needed), width = block_width(count);
    enum at_status status = widen_needed(program, node, rows, count, needed, &needed_count);
    if (status != AT_OK) return status;
    double *room = at_arena_alloc(program->arena, ((size_t)needed_count * width + 1) * sizeof *room);
    if (!room) return AT_NOMEM;
    for (int i = 0; i <= node; i++) {
        buffers[i] = room;
        is_sure[i] = false;
        if (!needed[i]) continue;
        is_sure[i] = at_program_never_missing(&program->nodes[i], is_sure);
        room += width;
        /* constants are written once, not once a block */
        if (program->nodes[i].op == AT_OP_CONST) fill(buffers[i], program->nodes[i].value, width);
    }
    for (uint32_t first = 0; first < count; first += AT_BLOCK) {
        struct block block = {program,
                              rows + first,
                              first,
                              count - first < AT_BLOCK ? count - first : AT_BLOCK,
                              buffers,
                              is_sure,
                              program->pack ? *at_pack_rows(program->pack) : (struct at_packed){0}};
        if (block.packed.rows) fetch_packed(&block);
        buffers[node] = out + first;
        if (program->nodes[node].op == AT_OP_CONST)
            fill(buffers[node], program->nodes[node].value, block.count);
        for (int i = 0; i <= node; i++)
            if (needed[i] && program->nodes[i].op != AT_OP_CONST) run_node(&block, (uint32_t)i);
    }
    return AT_OK;
}
