/* SPDX-License-Identifier: Apache-2.0
 *
 * Packs (pack.h): planning which nodes depend on the row alone, filling their values in, and handing out the
 * program that reads them. A plan has three nodes of its own: AT_OP_KEPT is one kept value; AT_OP_SUM adds
 * kept values to what is not kept, in the rule's order; AT_OP_AGE_OF is AT_OP_AGE of a kept date.
 *
 * A sum's terms are kept so that plain additions give what the operations give: a − b is a + (−b), and a
 * missing term is −0, which changes nothing, not even a −0.
 */
#include "ranking/pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ranking/internal.h"

#define CELLS_MAX     60
#define CODES_MAX     8
#define SHIFT_MAX     9
#define FILL_CHUNKS   4 /* a call fills so many at most: a few times 10 µs */
#define LINE          64
#define SCRATCH_BYTES ((size_t)1 << 22)

struct cell {
    uint16_t node; /* of the program as it was */
    bool is_term, is_negative;
    bool is_date; /* of an AGE: its attribute, not its value */
};

struct at_pack {
    const struct at_column *nodes; /* of the rule */
    struct at_column *plan;
    uint16_t *origins; /* by node of the plan: what is bound there, as the rule's node */
    uint32_t node_count, plan_count;
    int result;                /* in the plan */
    int attributes[CODES_MAX]; /* whose codes are kept */
    uint32_t attribute_count, attribute_limit;
    struct cell cells[CELLS_MAX];
    uint32_t cell_count;
    bool is_verdict;            /* a bit a row: no cells, no codes */
    uint32_t row_count, filled; /* rows */
    uint64_t missed;            /* rows judged without it */
    struct at_pack_room *room;
    struct at_packed packed;
    unsigned char *rows, *block; /* packed.rows (or bits) to write to, and where malloc put them */
    size_t block_bytes;
};

/* ---- planning ---- */

struct planning {
    struct at_pack *pack;
    uint8_t needed[AT_NODES_MAX], uses[AT_NODES_MAX];
    bool is_kept[AT_NODES_MAX], is_sure[AT_NODES_MAX];
    int place[AT_NODES_MAX]; /* in the plan; -1: not there (yet) */
    uint32_t loads;          /* look-ups that the rule makes for a product */
    bool has_failed;
};

/* What the row alone decides, constants included. */
static bool is_of_row(const struct planning *planning, const struct at_column *node) {
    switch (node->op) {
    case AT_OP_CONST:
    case AT_OP_NUMBER:
    case AT_OP_COUNTED:
    case AT_OP_HELD:
    case AT_OP_IN_CODES: return true;
    case AT_OP_NORMALIZE:
    case AT_OP_RANK_OF: return false;
    default: break;
    }
    int operands = at_program_operands(node);
    return operands > 0 && planning->is_kept[node->a] && (operands < 2 || planning->is_kept[node->b]) &&
           (operands < 3 || planning->is_kept[node->c]);
}

static void count_loads(struct planning *planning, const struct at_column *node) {
    bool is_load = node->op == AT_OP_NUMBER || node->op == AT_OP_COUNTED || node->op == AT_OP_AGE ||
                   node->op == AT_OP_IN_CODES || node->op == AT_OP_HELD;
    planning->loads += node->op == AT_OP_TASTE ? 2 : is_load;
}

static void survey(struct planning *planning, int result) {
    const struct at_column *nodes = planning->pack->nodes;
    for (int i = 0; i <= result; i++) {
        planning->place[i] = -1;
        planning->is_kept[i] = planning->is_sure[i] = false;
        if (!planning->needed[i]) continue;
        planning->is_kept[i] = is_of_row(planning, &nodes[i]);
        planning->is_sure[i] = at_program_never_missing(&nodes[i], planning->is_sure);
        count_loads(planning, &nodes[i]);
        int operands = at_program_operands(&nodes[i]);
        const uint16_t operand[] = {nodes[i].a, nodes[i].b, nodes[i].c};
        for (int k = 0; k < operands; k++) planning->uses[operand[k]] += planning->uses[operand[k]] < 2;
    }
}

static int add_plan(struct planning *planning, const struct at_column *node, int origin) {
    struct at_pack *pack = planning->pack;
    pack->plan[pack->plan_count] = *node;
    pack->origins[pack->plan_count] = (uint16_t)origin;
    return (int)pack->plan_count++;
}

static uint32_t add_cell(struct planning *planning, struct cell cell) {
    struct at_pack *pack = planning->pack;
    if (pack->cell_count == CELLS_MAX) return planning->has_failed = true, 0;
    pack->cells[pack->cell_count] = cell;
    return pack->cell_count++;
}

static int add_kept(struct planning *planning, int index, struct cell cell) {
    const struct at_column *node = &planning->pack->nodes[index];
    struct at_column kept = {.op = AT_OP_KEPT, .type = node->type, .line = node->line};
    kept.kept.first = add_cell(planning, cell);
    kept.kept.count = 1;
    kept.kept.is_sure = planning->is_sure[index] && !cell.is_date;
    return add_plan(planning, &kept, index);
}

/* Where a node's value stands in the plan, put there if it is not yet. */
static uint16_t place_of(struct planning *planning, int index) {
    const struct at_column *node = &planning->pack->nodes[index];
    if (planning->place[index] >= 0) return (uint16_t)planning->place[index];
    planning->place[index] = node->op == AT_OP_CONST
                                 ? add_plan(planning, node, index)
                                 : add_kept(planning, index, (struct cell){.node = (uint16_t)index});
    return (uint16_t)planning->place[index];
}

/* a + b and a − b where b is kept and a is there and never missing. */
static bool is_term_added(const struct planning *planning, const struct at_column *node) {
    return (node->op == AT_OP_ADD || node->op == AT_OP_SUB) && planning->is_sure[node->a] &&
           !planning->is_kept[node->a] && planning->is_kept[node->b];
}

static void plan_sum(struct planning *planning, int index) {
    struct at_pack *pack = planning->pack;
    const struct at_column *node = &pack->nodes[index];
    uint16_t base = place_of(planning, node->a);
    bool continues = pack->plan[base].op == AT_OP_SUM && planning->uses[node->a] == 1 &&
                     pack->plan[base].kept.first + pack->plan[base].kept.count == pack->cell_count;
    uint32_t first = add_cell(
        planning, (struct cell){.node = node->b, .is_term = true, .is_negative = node->op == AT_OP_SUB});
    if (continues) {
        pack->plan[base].kept.count++;
        planning->place[index] = base;
        return;
    }
    struct at_column sum = {.op = AT_OP_SUM, .type = node->type, .a = base, .line = node->line};
    sum.kept.first = first;
    sum.kept.count = 1;
    sum.kept.is_sure = true;
    planning->place[index] = add_plan(planning, &sum, index);
}

static void plan_node(struct planning *planning, int index) {
    const struct at_column *node = &planning->pack->nodes[index];
    struct at_column copy = *node;
    int operands = at_program_operands(node);
    if (is_term_added(planning, node)) return plan_sum(planning, index);
    if (node->op == AT_OP_AGE) {
        copy.op = AT_OP_AGE_OF;
        copy.a = (uint16_t)add_kept(planning, index, (struct cell){.node = (uint16_t)index, .is_date = true});
    }
    if (operands > 0) copy.a = place_of(planning, node->a);
    if (operands > 1) copy.b = place_of(planning, node->b);
    if (operands > 2) copy.c = place_of(planning, node->c);
    planning->place[index] = add_plan(planning, &copy, index);
}

/* Bytes of a row as a power of two; 0: too many. */
static uint32_t shift_for(const struct at_pack *pack) {
    size_t bytes = pack->cell_count * sizeof(double) + pack->attribute_count * sizeof(uint32_t);
    for (uint32_t shift = 3; shift <= SHIFT_MAX; shift++)
        if (bytes <= (size_t)1 << shift) return shift;
    return 0;
}

/* Of all rows, with what it takes to begin at a cache line. */
static size_t all_bytes(const struct at_pack *pack, uint32_t shift) {
    if (pack->is_verdict) return ((size_t)pack->row_count / 64 + 1) * sizeof(uint64_t) + LINE;
    return ((size_t)pack->row_count << shift) + LINE;
}

static void drop_block(struct at_pack *pack) {
    free(pack->block);
    pack->room->used -= pack->block_bytes;
    if (pack->room->account) at_account_give(pack->room->account, pack->block_bytes);
    pack->block = NULL;
    pack->block_bytes = 0;
}

static bool lay_out(struct at_pack *pack) {
    uint32_t shift = shift_for(pack);
    if (!shift || all_bytes(pack, shift) > pack->room->limit) return false;
    drop_block(pack);
    pack->filled = 0;
    pack->packed = (struct at_packed){.shift = shift};
    return true;
}

static bool plan_verdict(struct at_pack *pack, int result) {
    pack->is_verdict = true;
    pack->plan[0] = (struct at_column){.op = AT_OP_VERDICT, .type = AT_COLUMN_BOOL};
    pack->origins[0] = (uint16_t)result;
    pack->plan_count = 1;
    pack->result = 0;
    return lay_out(pack);
}

static bool plan_all(struct at_pack *pack, const struct at_program *program, int result) {
    struct planning planning = {.pack = pack};
    at_program_needed(program, result, planning.needed);
    survey(&planning, result);
    if (planning.loads && planning.is_kept[result] && program->nodes[result].type == AT_COLUMN_BOOL)
        return plan_verdict(pack, result);
    if (planning.loads < 2) return false;
    for (int i = 0; i <= result && !planning.has_failed; i++)
        if (planning.needed[i] && !planning.is_kept[i]) plan_node(&planning, i);
    if (!planning.has_failed) pack->result = place_of(&planning, result);
    return !planning.has_failed && lay_out(pack);
}

struct at_pack *at_pack_new(const struct at_program *program, int result, struct at_pack_room *room) {
    uint32_t count = program->count;
    struct at_pack *pack = calloc(1, sizeof *pack);
    if (!pack) return NULL;
    pack->nodes = program->nodes;
    pack->node_count = count;
    pack->row_count = at_root_rows(program->root);
    pack->room = room;
    pack->attribute_limit = CODES_MAX;
    pack->plan = calloc(2 * (size_t)count, sizeof *pack->plan);
    pack->origins = calloc(2 * (size_t)count, sizeof *pack->origins);
    if (pack->row_count && pack->plan && pack->origins && plan_all(pack, program, result)) return pack;
    at_pack_free(pack);
    return NULL;
}

void at_pack_free(struct at_pack *pack) {
    if (!pack) return;
    drop_block(pack);
    free(pack->plan);
    free(pack->origins);
    free(pack);
}

const struct at_packed *at_pack_rows(const struct at_pack *pack) {
    return &pack->packed;
}

int at_pack_codes_at(const struct at_pack *pack, int attribute) {
    for (uint32_t i = 0; i < pack->attribute_count; i++)
        if (pack->attributes[i] == attribute)
            return (int)(pack->cell_count * sizeof(double) + i * sizeof(uint32_t));
    return -1;
}

/* ---- filling ---- */

static double as_kept(const struct cell *cell, double value) {
    if (!cell->is_term) return value;
    if (at_is_missing(value)) return -0.0;
    return cell->is_negative && !isnan(value) ? -value : value;
}

static enum at_status fill_cells(struct at_pack *pack, struct at_program *program, const uint32_t *rows,
                                 uint32_t count) {
    double values[AT_CHUNK_ROWS];
    for (uint32_t c = 0; c < pack->cell_count; c++) {
        const struct cell *cell = &pack->cells[c];
        if (cell->is_date)
            at_root_gather_numbers(program->root, pack->nodes[cell->node].attribute, rows, count, values);
        else if (at_program_run(program, cell->node, rows, count, values) != AT_OK)
            return AT_NOMEM;
        at_arena_reset(program->arena);
        for (uint32_t i = 0; i < count; i++) {
            double value = as_kept(cell, values[i]);
            memcpy(pack->rows + ((size_t)rows[i] << pack->packed.shift) + c * sizeof value, &value,
                   sizeof value);
        }
    }
    return AT_OK;
}

static void fill_codes(struct at_pack *pack, const struct at_root *root, const uint32_t *rows,
                       uint32_t count) {
    uint32_t codes[AT_CHUNK_ROWS];
    for (uint32_t a = 0; a < pack->attribute_count; a++) {
        int at = at_pack_codes_at(pack, pack->attributes[a]);
        at_root_gather_codes(root, pack->attributes[a], rows, count, codes);
        for (uint32_t i = 0; i < count; i++)
            memcpy(pack->rows + ((size_t)rows[i] << pack->packed.shift) + at, &codes[i], sizeof codes[i]);
    }
}

/* From a row on that begins a word of bits. */
static enum at_status fill_verdicts(struct at_pack *pack, struct at_program *program, const uint32_t *rows,
                                    uint32_t count) {
    double values[AT_CHUNK_ROWS];
    uint64_t *bits = (uint64_t *)(void *)pack->rows;
    enum at_status status = at_program_run(program, pack->origins[0], rows, count, values);
    at_arena_reset(program->arena);
    for (uint32_t i = 0; i < count && status == AT_OK; i++) {
        if (i % 64 == 0) bits[rows[i] / 64] = 0;
        bits[rows[i] / 64] |= (uint64_t)(values[i] > 0) << rows[i] % 64;
    }
    return status;
}

/* The next rows; false: out of memory, it is tried again. */
static bool fill_more(struct at_pack *pack, const struct at_program *program, struct at_arena *scratch) {
    uint32_t rows[AT_CHUNK_ROWS], count = pack->row_count - pack->filled;
    struct at_program fixed = *program;
    if (count > AT_CHUNK_ROWS) count = AT_CHUNK_ROWS;
    for (uint32_t i = 0; i < AT_CHUNK_ROWS; i++) rows[i] = pack->filled + i;
    fixed.arena = scratch;
    fixed.pack = NULL;
    enum at_status status =
        pack->is_verdict ? fill_verdicts(pack, &fixed, rows, count) : fill_cells(pack, &fixed, rows, count);
    if (status != AT_OK) return false;
    fill_codes(pack, program->root, rows, count);
    pack->filled += count;
    return true;
}

static bool make_block(struct at_pack *pack) {
    struct at_pack_room *room = pack->room;
    size_t bytes = all_bytes(pack, pack->packed.shift);
    if (pack->block) return true;
    if (room->used + bytes > room->limit || (room->account && !at_account_draw(room->account, bytes)))
        return false;
    pack->block = at_wide_malloc(bytes);
    if (!pack->block && room->account) at_account_give(room->account, bytes);
    if (!pack->block) return false;
    room->used += pack->block_bytes = bytes;
    pack->rows = pack->block + (LINE - (uintptr_t)pack->block % LINE) % LINE;
    if (pack->is_verdict)
        pack->packed.bits = (const uint64_t *)(const void *)pack->rows;
    else
        pack->packed.rows = pack->rows;
    return true;
}

static bool is_filled(struct at_pack *pack, const struct at_program *program, uint32_t count) {
    if (pack->filled == pack->row_count) return true;
    pack->missed += count;
    if (pack->missed < 2 * (uint64_t)pack->row_count || !make_block(pack)) return false;
    struct at_arena scratch;
    at_arena_init_kept(&scratch, SCRATCH_BYTES, SCRATCH_BYTES);
    for (int i = 0; i < FILL_CHUNKS && pack->filled < pack->row_count; i++)
        if (!fill_more(pack, program, &scratch)) break;
    at_arena_clear(&scratch);
    return pack->filled == pack->row_count;
}

/* ---- use ---- */

/* Facets are the person's: one that comes up is kept for all from then on. */
static void learn_facets(struct at_pack *pack, const struct at_program *program) {
    for (uint32_t i = 0; i < pack->node_count; i++) {
        const struct at_column *node = &program->nodes[i];
        for (uint32_t f = 0; node->op == AT_OP_TASTE && f < node->taste.count; f++) {
            int attribute = node->taste.facets[f].attribute;
            if (at_pack_codes_at(pack, attribute) >= 0 || pack->attribute_count == pack->attribute_limit)
                continue;
            pack->attributes[pack->attribute_count++] = attribute;
            if (!lay_out(pack)) /* too much with it: its codes are gathered as ever */
                pack->attribute_limit = --pack->attribute_count;
        }
    }
}

bool at_pack_use(struct at_pack *pack, struct at_program *program, int *result, uint32_t count) {
    learn_facets(pack, program);
    if (!is_filled(pack, program, count)) return false;
    struct at_column *nodes = at_arena_alloc(program->arena, pack->plan_count * sizeof *nodes);
    if (!nodes) return false;
    memcpy(nodes, pack->plan, pack->plan_count * sizeof *nodes);
    for (uint32_t i = 0; i < pack->plan_count; i++) {
        const struct at_column *bound = &program->nodes[pack->origins[i]];
        if (nodes[i].op == AT_OP_TASTE) nodes[i].taste = bound->taste;
        if (nodes[i].op == AT_OP_BY_ROW) nodes[i].by_row = bound->by_row;
        if (nodes[i].op == AT_OP_AGE_OF) nodes[i].value = bound->value;
    }
    program->nodes = nodes;
    program->count = program->capacity = pack->plan_count;
    program->pack = pack;
    *result = pack->result;
    return true;
}
