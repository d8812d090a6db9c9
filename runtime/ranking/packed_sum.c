/* SPDX-License-Identifier: Apache-2.0
 *
 * What most rules come to once their products are packed: a person's taste, times a number, plus what the row
 * keeps. Such a program is run here in one visit to each row, without blocks and without a buffer for each
 * node; called by column_run.c, which runs every other program, and gives the same bits: the same operations
 * in the same order.
 */
#include <math.h>
#include "ranking/internal.h"
#include "ranking/pack.h"

#define AHEAD      16 /* rows that are asked of memory before they are read */
#define FACETS_MAX 3
#define TERMS_MAX  4

struct visit {
    const unsigned char *rows;
    uint32_t shift;
    size_t codes_at[FACETS_MAX], terms_at; /* in a row */
    const double *tables[FACETS_MAX];
    double weights[FACETS_MAX], scale;
};

static inline const unsigned char *row_at(const struct visit *visit, uint32_t row) {
    return visit->rows + ((size_t)row << visit->shift);
}

static inline __attribute__((always_inline)) double weigh(const struct visit *visit, const unsigned char *row,
                                                          int facet) {
    uint32_t code = *(const uint32_t *)(const void *)(row + visit->codes_at[facet]);
    return visit->weights[facet] * visit->tables[facet][code];
}

static inline __attribute__((always_inline)) double score_of(const struct visit *visit,
                                                             const unsigned char *row, int facets,
                                                             int terms) {
    const double *term = (const double *)(const void *)(row + visit->terms_at);
    double taste = 0.0 + weigh(visit, row, 0);
    if (facets > 1) taste += weigh(visit, row, 1);
    if (facets > 2) taste += weigh(visit, row, 2);
    double score = taste * visit->scale + term[0];
    if (terms > 1) score += term[1];
    if (terms > 2) score += term[2];
    if (terms > 3) score += term[3];
    return score;
}

/* Made once for each number of facets and terms. */
static inline __attribute__((always_inline)) void visit_all(const struct visit *from, const uint32_t *rows,
                                                            uint32_t count, double *out, int facets,
                                                            int terms) {
    const struct visit visit = *from;
    uint32_t i = 0;
    for (uint32_t k = 0; k < AHEAD && k < count; k++) __builtin_prefetch(row_at(&visit, rows[k]));
    for (; i + AHEAD < count; i++) {
        __builtin_prefetch(row_at(&visit, rows[i + AHEAD]));
        out[i] = score_of(&visit, row_at(&visit, rows[i]), facets, terms);
    }
    for (; i < count; i++) out[i] = score_of(&visit, row_at(&visit, rows[i]), facets, terms);
}

#define VISIT(facets, terms)                                                                                 \
    case facets * 10 + terms: visit_all(visit, rows, count, out, facets, terms); break
static void run(const struct visit *visit, const uint32_t *rows, uint32_t count, double *out, int shape) {
    switch (shape) {
        VISIT(1, 1);
        VISIT(1, 2);
        VISIT(1, 3);
        VISIT(1, 4);
        VISIT(2, 1);
        VISIT(2, 2);
        VISIT(2, 3);
        VISIT(2, 4);
        VISIT(3, 1);
        VISIT(3, 2);
        VISIT(3, 3);
        VISIT(3, 4);
    default: AT_ASSERT(!"a shape of these");
    }
}

/* The taste in `node`, alone or times a number. */
static const struct at_column *find_taste(const struct at_program *program, const struct at_column *node,
                                          double *scale) {
    *scale = 1;
    if (node->op == AT_OP_MUL) {
        const struct at_column *a = &program->nodes[node->a], *b = &program->nodes[node->b];
        const struct at_column *number = a->op == AT_OP_CONST ? a : b;
        node = number == a ? b : a;
        if (number->op != AT_OP_CONST || isnan(number->value)) return NULL;
        *scale = number->value;
    }
    return node->op == AT_OP_TASTE ? node : NULL;
}

bool at_program_run_packed_sum(const struct at_program *program, int result, const uint32_t *rows,
                               uint32_t count, double *out) {
    const struct at_column *sum = &program->nodes[result];
    const struct at_packed *packed = program->pack ? at_pack_rows(program->pack) : NULL;
    struct visit visit;
    if (!packed || !packed->rows || sum->op != AT_OP_SUM || sum->kept.count > TERMS_MAX) return false;
    const struct at_column *taste = find_taste(program, &program->nodes[sum->a], &visit.scale);
    if (!taste || !taste->taste.count || taste->taste.count > FACETS_MAX) return false;
    visit.rows = packed->rows;
    visit.shift = packed->shift;
    visit.terms_at = sum->kept.first * sizeof(double);
    for (uint32_t f = 0; f < taste->taste.count; f++) {
        const struct at_facet_table *facet = &taste->taste.facets[f];
        int at = at_pack_codes_at(program->pack, facet->attribute);
        if (at < 0 || facet->is_list || facet->weight < 0) return false;
        visit.codes_at[f] = (size_t)at;
        visit.tables[f] = facet->by_code;
        visit.weights[f] = facet->weight;
    }
    run(&visit, rows, count, out, (int)(taste->taste.count * 10 + sum->kept.count));
    return true;
}
